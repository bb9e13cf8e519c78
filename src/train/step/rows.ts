import type * as tf from '@tensorflow/tfjs-core';
import type { LossRows, Task } from '../../tasks/task.ts';

/** Rows of a batch with these targets, [batch, width]; its samples for a task without `rows`. */
export function rowsOfBatch({ rows }: Pick<Task, 'rows'>, targets: tf.Tensor2D): Rows {
  if (rows === undefined) return { of: same, targets: () => targets, weights: (samples) => samples };
  const { of, targets: goals = of, weights } = rows;
  return { of, targets: (answers) => goals(targets, answers), weights: (samples) => weights(samples, targets) };
}

function same(values: tf.Tensor2D): tf.Tensor2D {
  return values;
}

interface Rows extends Pick<LossRows, 'of'> {
  /** Targets as rows, for these answers [batch, width]. */
  readonly targets: (answers: tf.Tensor2D) => tf.Tensor2D;
  /** Weights of the rows, [rows], from the samples' weights, [batch]. */
  readonly weights: (samples: tf.Tensor1D) => tf.Tensor1D;
}
