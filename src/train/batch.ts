import type { TargetValues } from '../data/dataset.ts';
import type { TensorData } from '../graph/types.ts';
import type { Mixed, Task } from '../tasks/task.ts';

/** What one step learns from; a batch of src/data fits as it is. */
export interface TrainingBatch {
  /** [n, ...inputShape] */
  readonly x: TensorData;
  /** [n] class indexes; of other tasks [n, numbers]. */
  readonly targets: TargetValues;
  /** [n] weight of each sample in the loss. Default 1. */
  readonly weights?: Float32Array;
  /** How the samples were mixed, for a program with mixup targets. */
  readonly mix?: Mixed;
  /** The teacher's answers, by feed name: `teacherLogits`, `teacher/<name>`. */
  readonly teacher?: Readonly<Record<string, Float32Array>>;
}

/** The feeds that stand for the batch; `UserError` for targets that the task cannot have. */
export function batchFeeds(batch: TrainingBatch, task: Task, where: string): Record<string, TensorData> {
  const { x, targets, weights, mix, teacher } = batch;
  return { x, ...task.fed(targets, where, mix), weights: weights ?? ones(samplesOf(batch, task)), ...teacher };
}

export function samplesOf({ targets }: TrainingBatch, { targetWidth }: Pick<Task, 'targetWidth'>): number {
  return targets.length / targetWidth;
}

/** Σ w: what the results of the batch are sums or means over. */
export function totalWeight(batch: TrainingBatch, task: Pick<Task, 'targetWidth'>): number {
  const { weights } = batch;
  return weights === undefined ? samplesOf(batch, task) : weights.reduce((sum, weight) => sum + weight, 0);
}

const cache = new Map<number, Float32Array>();

function ones(n: number): Float32Array {
  let values = cache.get(n);
  if (values === undefined) cache.set(n, (values = new Float32Array(n).fill(1)));
  return values;
}
