import { shown, UserError } from '../base/errors.ts';
import type { TensorData } from '../graph/types.ts';

/** What one step learns from; a batch of src/data fits as it is. */
export interface TrainingBatch {
  /** [n, ...inputShape] */
  readonly x: TensorData;
  /** [n] class indexes. */
  readonly labels: Int32Array;
  /** [n] weight of each sample in the loss. Default 1. */
  readonly weights?: Float32Array;
  /** How the samples were mixed, for a program with mixup targets. */
  readonly mix?: { readonly partners: Int32Array; readonly lambda: Float32Array };
  /** The teacher's answers, by feed name: `teacherLogits`, `teacher/<name>`; or soft `targets`. */
  readonly teacher?: Readonly<Record<string, Float32Array>>;
}

/** The feeds that stand for the batch. Labels outside 0 … classes - 1 are a `UserError`: a one-hot of them would be all zero. */
export function batchFeeds(batch: TrainingBatch, classes: number, where: string): Record<string, TensorData> {
  const { x, labels, weights, mix, teacher } = batch;
  checkLabels(labels, classes, where);
  return { x, labels, weights: weights ?? ones(labels.length), ...mix, ...teacher };
}

function checkLabels(labels: Int32Array, classes: number, where: string): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label >= 0 && label < classes) continue;
    throw new UserError(
      `${where}: the label of sample ${i} is ${shown(label)}, and the model has the classes 0 … ${classes - 1}`,
      'Check the labels of the data set, or give the model as many classes as the labels have.',
    );
  }
}

/** Σ w: what the results of the batch are sums or means over. */
export function totalWeight({ weights, labels }: TrainingBatch): number {
  return weights === undefined ? labels.length : weights.reduce((sum, weight) => sum + weight, 0);
}

const cache = new Map<number, Float32Array>();

function ones(n: number): Float32Array {
  let values = cache.get(n);
  if (values === undefined) cache.set(n, (values = new Float32Array(n).fill(1)));
  return values;
}
