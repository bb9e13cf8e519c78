import type { ModelNetwork } from '../../networks/network.ts';
import { underPrefix } from '../../networks/under-prefix.ts';
import type { MixKind } from '../../tasks/task.ts';
import type { StepProgram } from '../../trace/program.ts';
import { gradientProgram, updateProgram } from '../../train/step/gradient.ts';
import type { TrainerOptions } from '../../train/loop.ts';
import { LossScale } from '../../train/step/loss-scale.ts';
import { limitedUnits } from '../../train/optimizers/max-norm.ts';
import type { FitOptions, Learning, PeerPair } from '../../run/training/options.ts';
import { createOptimizer } from '../../train/optimizers/optimizers.ts';
import { PEER_PREFIX, trainingProgram, trainingState } from '../../train/step/step.ts';

/** Builds the peer of a student, with its own optimizer and moving average. */
export async function withPeer(
  alone: Learning,
  build: () => Promise<ModelNetwork>,
  { optimizer: config, ema: decay = 0 }: Pick<FitOptions['settings'], 'optimizer' | 'ema'>,
): Promise<PeerPair> {
  const made = async () => underPrefix(await build(), PEER_PREFIX);
  const network = await made();
  const ema = decay > 0 ? await made() : undefined;
  const optimizer = createOptimizer(config, network.trainable, network.rateOf, limitedUnits(network, config));
  const { task, loss, lossScale, partial } = alone;
  return {
    own: { ...alone, peer: network },
    peer: {
      network,
      task,
      loss,
      optimizer,
      partial,
      ...(ema && { ema }),
      lossScale: lossScale && new LossScale(PEER_PREFIX),
      peer: alone.network,
    },
    dispose: () => {
      network.dispose();
      ema?.dispose();
    },
  };
}

/** Programs of the peer's step. Their state includes both students, because one compiled step holds the whole training. */
export function peerPrograms(
  { own, peer }: PeerPair,
  { batchSize, mix }: { readonly batchSize: number; readonly mix: { readonly whole: MixKind; readonly part: MixKind } },
): NonNullable<TrainerOptions['peer']> {
  const ofBoth = (program: StepProgram): StepProgram => ({
    ...program,
    state: { ...trainingState(own), ...program.state },
  });
  return {
    program: (samples) => ofBoth(trainingProgram({ ...peer, batchSize: samples, mix: mix.whole })),
    gradient: (samples) => gradientProgram({ ...peer, batchSize: samples, mix: mix.part }),
    update: (parts) => ofBoth(updateProgram({ ...peer, batchSize }, parts)),
  };
}
