import { sha256 } from '../../base/bytes.ts';
import { batchCount } from '../../data/batches/batches.ts';
import { stepsAt } from '../../data/augment/kinds.ts';
import type { BatchOptions } from '../../data/batches/batches.ts';
import type { AugmentStep } from '../../data/config.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { LossArgs } from '../../distill/losses/define.ts';
import type { AnyLoss } from '../../distill/losses/registry.ts';
import type { SoftTargets } from '../../distill/answers/soft-targets.ts';
import type { ModelNetwork, Network } from '../../networks/network.ts';
import { canonicalJson } from '../../recipe/diff.ts';
import type { DistillRecipe, Recipe } from '../../recipe/schema.ts';
import type { MixKind, Task } from '../../tasks/task.ts';
import type { TrainerOptions } from '../../train/loop.ts';
import type { MaskPlan } from '../../train/step/masks.ts';
import type { TrainingOptions } from '../../train/step/step.ts';
import type { OptimizerConfig } from '../../train/optimizers/optimizers.ts';
import type { NumberSchedule, ScheduleConfig, TrainingLength } from '../../train/optimizers/schedules.ts';

export interface FitOptions<N extends Network = ModelNetwork> {
  readonly stage: string;
  readonly title: string;
  /** Builds the network; each call gives the same weights. */
  readonly build: () => Promise<N>;
  readonly settings: Pick<DistillRecipe, 'epochs' | 'batchSize'> &
    Partial<Pick<DistillRecipe, 'microBatch' | 'ema'>> & { readonly optimizer: OptimizerConfig & ScheduleConfig };
  readonly loss: AnyLoss;
  readonly lossArgs: LossArgs;
  readonly seed: number;
  /** The teacher's answers; absent for training with labels alone. */
  readonly answers?: SoftTargets | undefined;
  /** Augmentation. Default: the augmentation of the data set. */
  readonly augment?: readonly AugmentStep[] | undefined;
  /** Number of fixed views of each sample with stored answers; augmentation draws from them. */
  readonly views?: number | undefined;
  /** Schedules of loss options, by name. */
  readonly schedules?: Readonly<Record<string, NumberSchedule>> | undefined;
  /** Further augmentation for the strong view, if the loss reads one. */
  readonly strong?: readonly AugmentStep[] | undefined;
  /** Another student, which learns from the same batches: each of the two learns from the other's answers instead of a teacher's. */
  readonly peer?: Peer | undefined;
  /** Masks of pruned weights, for a training of `steps` steps. */
  readonly masks?: ((steps: number) => MaskPlan) | undefined;
  /** Scalars that the network is fed at a step, besides the scalars of the loss. */
  readonly hyper?: (step: number) => Readonly<Record<string, number>>;
  /** Number of samples that determines the number of steps. Default: the samples that this training learns from. */
  readonly asLongAs?: number | undefined;
  /** Default: the recipe's. */
  readonly precision?: Recipe['precision'];
  /** Hash of the settings that the training depends on, if fewer than the whole recipe. Saved states with another hash are ignored. */
  readonly job?: string;
  /** Hash of the training samples, if a saved state may be older than they are. */
  readonly data?: () => string;
}

/** A student's training, without the size of its batches. */
export type Learning = Omit<TrainingOptions, 'batchSize' | 'mix'>;

/** Two students in one training, each the other's peer. */
export interface PeerPair {
  readonly own: Learning;
  readonly peer: Learning;
  dispose(): void;
}

/** How another student is built and trained beside the student. */
interface Peer {
  readonly build: () => Promise<ModelNetwork>;
  readonly pair: (
    alone: Learning,
    build: Peer['build'],
    settings: Pick<FitOptions['settings'], 'optimizer' | 'ema'>,
  ) => Promise<PeerPair>;
  /** Programs of the peer's step. */
  readonly programs: (
    pair: PeerPair,
    of: { readonly batchSize: number; readonly mix: { readonly whole: MixKind; readonly part: MixKind } },
  ) => NonNullable<TrainerOptions['peer']>;
}

/** What a training learns from, and for how long. */
export interface TrainingPlan extends TrainingLength {
  readonly task: Task;
  /** The samples that the training learns from. */
  readonly learnt: Dataset;
  /** Samples of a step: not more than there are. */
  readonly batchSize: number;
  /** True if samples may lack a label or a teacher's answer. */
  readonly partial: boolean;
}

/**
 * Options of the batches of an epoch; `done`: share of the training's steps before it. Their order depends on the seed of the training, which differs between repeats; the fixed views depend on the
 * seed of the recipe, because the stored answers belong to these views.
 */
export function epochOptions(
  recipe: Pick<Recipe, 'seed' | 'dataset'>,
  {
    settings,
    seed,
    views,
    augment = recipe.dataset.augment,
  }: Pick<FitOptions, 'settings' | 'seed' | 'views' | 'augment'>,
  epoch: number,
  done = 0,
): BatchOptions {
  const { batchSize } = settings;
  return { batchSize, seed, viewSeed: recipe.seed, epoch, augment: stepsAt(augment, done), views };
}

/** Number of steps of a training on `samples` samples. */
export function numberOfSteps(
  { epochs, batchSize }: Pick<DistillRecipe, 'epochs' | 'batchSize'>,
  samples: number,
): number {
  return Math.max(1, Math.round(epochs * batchCount(samples, batchSize)));
}

/** Hash of a training's settings and of the recipe's settings that change its sums. A saved state with another hash is ignored. */
export function jobOf(
  { job }: Pick<FitOptions, 'job'>,
  { shards, syncBatchNorm }: Pick<Recipe, 'shards' | 'syncBatchNorm'>,
): string | undefined {
  if (job === undefined || (shards === undefined && !syncBatchNorm)) return job;
  // Earlier versions had this key, and their saved states have it in their hash.
  return sha256(job, canonicalJson({ shards, syncBatchNorm, gradientCompression: 'none' }));
}
