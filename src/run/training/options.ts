import { sha256 } from '../../base/bytes.ts';
import { batchCount } from '../../data/batches/batches.ts';
import type { BatchOptions } from '../../data/batches/batches.ts';
import type { AugmentStep } from '../../data/config.ts';
import type { LossArgs } from '../../distill/losses/define.ts';
import type { AnyLoss } from '../../distill/losses/registry.ts';
import type { SoftTargets } from '../../distill/answers/soft-targets.ts';
import type { ModelNetwork, Network } from '../../networks/network.ts';
import { canonicalJson } from '../../recipe/diff.ts';
import type { DistillRecipe, Recipe } from '../../recipe/schema.ts';
import type { MaskPlan } from '../../train/step/masks.ts';
import type { NumberSchedule } from '../../train/optimizers/schedules.ts';

export interface FitOptions<N extends Network = ModelNetwork> {
  readonly stage: string;
  readonly title: string;
  /** Builder of the network; each call gives the same one. */
  readonly build: () => Promise<N>;
  readonly settings: Pick<DistillRecipe, 'epochs' | 'batchSize' | 'microBatch' | 'optimizer' | 'ema'>;
  readonly loss: AnyLoss;
  readonly lossArgs: LossArgs;
  readonly seed: number;
  /** The teacher's answers; absent for training with labels alone. */
  readonly answers?: SoftTargets | undefined;
  /** Random changes of samples. Default: the augmentation of the data set. */
  readonly augment?: readonly AugmentStep[] | undefined;
  /** Draw augmentation from this many fixed views, for which the teacher's answers are stored. */
  readonly views?: number | undefined;
  /** Numbers of the loss that change, by name. */
  readonly schedules?: Readonly<Record<string, NumberSchedule>> | undefined;
  /** Epoch from whose end on the labels alone teach. Default: none. */
  readonly teacherUntil?: number | undefined;
  /** Further changes of samples for a strong view, where the loss reads one. */
  readonly strong?: readonly AugmentStep[] | undefined;
  /** Builder of another student, which learns from the same batches: in place of a teacher each learns from the other's answers. */
  readonly peer?: (() => Promise<ModelNetwork>) | undefined;
  /** Masks of pruned weights, for a training of `steps` steps. */
  readonly masks?: ((steps: number) => MaskPlan) | undefined;
  /** Scalars that the network is fed at a step, besides the scalars of the loss. */
  readonly hyper?: (step: number) => Readonly<Record<string, number>>;
  /** Take as many steps as a training on this many samples, however few have a label. Default: the number of samples that this training learns from. */
  readonly asLongAs?: number | undefined;
  /** Default: the recipe's. */
  readonly precision?: Recipe['precision'];
  /**
   * Hash of the settings that the training depends on, where it depends on less than the whole recipe. Saved states with another hash are
   * ignored.
   */
  readonly job?: string;
  /** Hash of the training samples, where a saved state may be older than they are. */
  readonly data?: string;
}

/**
 * Options of the batches of an epoch. Their order follows the seed of the training, which differs between repeats; the fixed views follow
 * the seed of the recipe, because the teacher's answers are stored for these views.
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
): BatchOptions {
  return { batchSize: settings.batchSize, seed, viewSeed: recipe.seed, epoch, augment, views };
}

/** Number of steps of a training on `samples` samples. */
export function numberOfSteps(
  { epochs, batchSize }: Pick<DistillRecipe, 'epochs' | 'batchSize'>,
  samples: number,
): number {
  return Math.max(1, Math.round(epochs * batchCount(samples, batchSize)));
}

/**
 * Hash of the settings that a training depends on, extended by the settings of the whole recipe that change its sums: a state with another
 * hash belongs to another training and is ignored.
 */
export function jobOf(
  { job }: Pick<FitOptions, 'job'>,
  {
    shards,
    syncBatchNorm,
    gradientCompression = 'none',
  }: Pick<Recipe, 'shards' | 'syncBatchNorm' | 'gradientCompression'>,
): string | undefined {
  const isDefault = shards === undefined && !syncBatchNorm && gradientCompression === 'none';
  return job === undefined || isDefault
    ? job
    : sha256(job, canonicalJson({ shards, syncBatchNorm, gradientCompression }));
}
