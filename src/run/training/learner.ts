import { isMix } from '../../data/augment/kinds.ts';
import { UserError } from '../../base/errors.ts';
import { answerSizes } from '../../distill/losses/define.ts';
import { createLoss } from '../../distill/losses/registry.ts';
import type { Network } from '../../networks/network.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { gradientProgram, updateProgram } from '../../train/step/gradient.ts';
import { LossScale } from '../../train/step/loss-scale.ts';
import { maskVariables } from '../../train/step/masks.ts';
import { limitedUnits } from '../../train/optimizers/max-norm.ts';
import type { TrainerOptions } from '../../train/loop.ts';
import type { PartsOptions } from '../../train/parallel/parted.ts';
import { createOptimizer } from '../../train/optimizers/optimizers.ts';
import { trainingProgram } from '../../train/step/step.ts';
import type { FitOptions, TrainingPlan } from './options.ts';

export type Learner<N extends Network> = Awaited<ReturnType<typeof learnerOf<N>>>;

interface LearnerOptions extends Pick<TrainingPlan, 'task' | 'steps' | 'batchSize' | 'partial'> {
  readonly recipe: Pick<Recipe, 'precision' | 'dataset'>;
}

/** Builds the parts of a network's training: loss, optimizer, moving average, masks, a peer, and the programs of its steps. */
export async function learnerOf<N extends Network>(
  network: N,
  options: FitOptions<N>,
  { task, recipe, steps, batchSize, partial }: LearnerOptions,
) {
  const { settings } = options;
  const plan = options.masks?.(steps);
  const ema = (settings.ema ?? 0) > 0 ? await options.build() : undefined;
  const loss = await createLoss(options.loss, { answers: answerSizes(task), ...options.lossArgs });
  const trainable = { ...network.trainable, ...loss.variables };
  const units = limitedUnits(network, settings.optimizer);
  const optimizer = createOptimizer(settings.optimizer, trainable, network.rateOf, units);
  const masks = maskVariables(plan?.names ?? [], network);
  const { precision = recipe.precision } = options;
  const lossScale = precision === 'mixed' ? new LossScale() : undefined;
  const hasMixup = (options.augment ?? recipe.dataset.augment).some(isMix);
  const unmixed = task.trainsOn ?? 'none';
  const mix = hasMixup ? ({ whole: 'partners', part: 'soft' } as const) : ({ whole: unmixed, part: unmixed } as const);
  const alone = {
    network,
    task,
    loss,
    optimizer,
    ...(ema && { ema }),
    masks,
    lossScale,
    partial,
    teacherWidth: options.answers?.width,
  };
  const { peer } = options;
  const pair = await peer?.pair(alone, peer.build, settings);
  const common = pair?.own ?? alone;
  const programs = {
    program: (samples: number) => trainingProgram({ ...common, batchSize: samples, mix: mix.whole }),
    peer: pair && peer?.programs(pair, { batchSize, mix }),
  } satisfies Partial<TrainerOptions>;
  const parts = {
    gradient: (samples: number) => gradientProgram({ ...common, batchSize: samples, mix: mix.part }),
    update: (sums) => updateProgram({ ...common, batchSize }, sums),
  } satisfies Pick<PartsOptions, 'gradient' | 'update'>;
  return {
    network,
    ema,
    loss,
    optimizer,
    masks,
    plan,
    precision,
    peer: pair?.peer.network,
    programs,
    parts,
    dispose(): void {
      ema?.dispose();
      pair?.dispose();
    },
  };
}

/** `UserError` for a network without trainable weights. */
export function refuseFrozen({ name, trainable, state }: Network): void {
  if (Object.keys(trainable).length > 0) return;
  throw new UserError(
    `${name}: expected a weight to train, received none: all ${Object.keys(state).length} are frozen`,
    'Take a pattern out of student.freeze, or take the file as it is: distill.epochs: 0.',
  );
}
