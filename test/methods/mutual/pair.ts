import { createLoss } from '../../support/losses.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import type { DistillRecipe } from '../../../src/recipe/schema.ts';
import { peerPrograms, withPeer } from '../../../src/methods/mutual/peer.ts';
import type { PeerPair } from '../../../src/run/training/options.ts';
import type { Engine } from '../../../src/runtime/engine.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import type { TrainingBatch } from '../../../src/train/step/batch.ts';
import { gradientProgram, updateProgram } from '../../../src/train/step/gradient.ts';
import { Trainer } from '../../../src/train/loop.ts';
import { LossScale } from '../../../src/train/step/loss-scale.ts';
import { createOptimizer } from '../../../src/train/optimizers/optimizers.ts';
import type { OptimizerConfig } from '../../../src/train/optimizers/optimizers.ts';
import type { PartsOptions } from '../../../src/train/parallel/parted.ts';
import { trainingProgram } from '../../../src/train/step/step.ts';

export const CLASSES = 3;

export interface PairSetup {
  readonly student: () => ModelNetwork;
  readonly peer: () => ModelNetwork;
  readonly optimizer?: OptimizerConfig;
  readonly rate?: number;
  readonly hyper?: Readonly<Record<string, number>>;
  /** Decay of a moving average of both. */
  readonly ema?: number;
  /** Samples that are mixed with others of their batch. */
  readonly mixed?: boolean;
  /** A scaled loss, as of products in float16. */
  readonly scaled?: boolean;
  readonly classes?: number;
}

type Cut = Omit<PartsOptions, 'gradient' | 'update'>;

/** A training of two students that teach each other, as `src/run/training/fit.ts` sets it up; the largest batch comes first. */
export async function pairTrainer(
  engine: Engine,
  setup: PairSetup,
  batches: readonly TrainingBatch[],
  cut?: Cut,
): Promise<{ readonly trainer: Trainer; readonly pair: PeerPair }> {
  const { optimizer: config = { type: 'sgd' }, rate = 0.5, hyper = {}, ema: emaDecay = 0, classes = CLASSES } = setup;
  const task = classification(classes);
  const network = setup.student();
  const loss = createLoss('mutual', { hyper });
  const optimizer = createOptimizer(config, network.trainable);
  const alone = {
    ...{ network, task, loss, optimizer },
    ...(emaDecay > 0 && { ema: setup.student() }),
    lossScale: setup.scaled === true ? new LossScale() : undefined,
  };
  const settings = { optimizer: config as DistillRecipe['optimizer'], ema: emaDecay };
  const pair = await withPeer(alone, () => Promise.resolve(setup.peer()), settings);
  const mix = setup.mixed === true ? ({ whole: 'partners', part: 'soft' } as const) : ({ whole: 'none', part: 'none' } as const); // prettier-ignore
  const batchSize = batches[0]!.targets.length;
  const trainer = await Trainer.create({
    engine,
    program: (samples) => trainingProgram({ ...pair.own, batchSize: samples, mix: mix.whole }),
    peer: peerPrograms(pair, { batchSize, mix }),
    ...(cut && {
      parts: {
        ...cut,
        gradient: (samples: number) => gradientProgram({ ...pair.own, batchSize: samples, mix: mix.part }),
        update: (parts: Parameters<typeof updateProgram>[1]) => updateProgram({ ...pair.own, batchSize }, parts),
      },
    }),
    ...{ batchSize, task, stepsPerEpoch: batches.length, steps: batches.length, batches: () => batches },
    ...{ optimizer, schedule: () => rate, hyper: () => loss.hyper, randomKey: [1, 'pair'] },
    ...(emaDecay > 0 && { emaDecay }),
  });
  return { trainer, pair };
}
