import * as tf from '@tensorflow/tfjs-core';

/** Coefficients that Jordan chose for fast convergence: singular values end between 0.7 and 1.2, not at 1. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const STEPS = 5;

/**
 * Number of columns of the matrix that Muon makes of a weight; undefined for weights that it leaves to AdamW: vectors, depthwise filters, dense
 * layers.
 */
export function muonColumns(shape: readonly number[]): number | undefined {
  const columns = shape.at(-1)!;
  return shape.length > 3 && columns > 1 ? columns : undefined;
}

/**
 * Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): the update is the orthogonal matrix nearest to the momentum,
 * so that all directions move by the same amount. `ahead`: Nesterov momentum of filters [height, width, in, columns], read as a matrix with `columns`
 * columns. The factor 0.2 √max(rows, columns) scales the result to the size of an Adam update (Liu et al. 2025, "Muon is scalable for LLM training",
 * equation 4), so both share a learning rate.
 */
export function orthogonalized(ahead: tf.Tensor, columns: number): tf.Tensor {
  const rows = ahead.size / columns;
  const matrix = tf.reshape<tf.Rank.R2>(ahead, [rows, columns]);
  const direction = rows < columns ? tf.transpose(orthogonal(tf.transpose(matrix))) : orthogonal(matrix);
  return tf.mul(tf.reshape(direction, ahead.shape), 0.2 * Math.sqrt(Math.max(rows, columns)));
}

/** Five Newton-Schulz iterations, which bring all singular values of [rows, columns], rows ≥ columns, close to 1. Zeros stay zeros. */
function orthogonal(matrix: tf.Tensor2D): tf.Tensor2D {
  let x: tf.Tensor2D = tf.div(matrix, tf.add(tf.sqrt(tf.sum(tf.square(matrix))), 1e-7));
  for (let step = 0; step < STEPS; step++) {
    const square: tf.Tensor2D = tf.matMul(x, x, true, false);
    const polynomial: tf.Tensor2D = tf.add(tf.mul(square, B), tf.mul(tf.matMul(square, square), C));
    x = tf.add(tf.mul(x, A), tf.matMul(x, polynomial));
  }
  return x;
}
