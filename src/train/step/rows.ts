import type * as tf from '@tensorflow/tfjs-core';
import type { LossRows, Task } from '../../tasks/task.ts';

/** Rows of a batch with these targets [batch, width]; of a task without rows of its own its samples. */
export function rowsOfBatch({ rows }: Pick<Task, 'rows'>, targets: tf.Tensor2D): Rows {
  if (rows === undefined) return { of: (values) => values, weights: (samples) => samples };
  return { of: rows.of, weights: (samples) => rows.weights(samples, targets) };
}

interface Rows extends Pick<LossRows, 'of'> {
  /** Weights of the rows, [rows], from those of the samples, [batch]. */
  weights(samples: tf.Tensor1D): tf.Tensor1D;
}
