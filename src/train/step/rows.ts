import type * as tf from '@tensorflow/tfjs-core';
import type { LossRows, Task } from '../../tasks/task.ts';

/** Rows of a batch with these targets, [batch, width]; its samples for a task without `rows`. */
export function rowsOfBatch({ rows }: Pick<Task, 'rows'>, targets: tf.Tensor2D): Rows {
  if (rows === undefined) return { of: (values) => values, weights: (samples) => samples };
  return { of: rows.of, weights: (samples) => rows.weights(samples, targets) };
}

interface Rows extends Pick<LossRows, 'of'> {
  /** Weights of the rows, [rows], from the samples' weights, [batch]. */
  readonly weights: (samples: tf.Tensor1D) => tf.Tensor1D;
}
