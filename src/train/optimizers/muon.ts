import * as tf from '@tensorflow/tfjs-core';

/** Coefficients of the iteration, chosen by Jordan for speed: singular values end between 0.7 and 1.2, not at 1. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const STEPS = 5;

/** Columns of the matrix that Muon makes of a weight; undefined for weights that are none: vectors, depthwise filters, dense layers. */
export function columnsOf(shape: readonly number[]): number | undefined {
  const columns = shape.at(-1)!;
  return shape.length > 3 && columns > 1 ? columns : undefined;
}

/**
 * Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): in place of the momentum of a matrix the orthogonal
 * matrix nearest to it, so that every direction of it moves by as much. `ahead` is Nesterov's momentum of filters
 * [height, width, in, columns], a matrix of as many columns. The factor 0.2 √max(rows, columns) gives the result the size that an update of
 * Adam has (Liu et al. 2025, "Muon is scalable for LLM training", equation 4): one learning rate serves both.
 */
export function orthogonalized(ahead: tf.Tensor, columns: number): tf.Tensor {
  const rows = ahead.size / columns;
  const matrix = tf.reshape<tf.Rank.R2>(ahead, [rows, columns]);
  const direction = rows < columns ? tf.transpose(orthogonal(tf.transpose(matrix))) : orthogonal(matrix);
  return tf.mul(tf.reshape(direction, ahead.shape), 0.2 * Math.sqrt(Math.max(rows, columns)));
}

/** Five steps of Newton and Schulz: [rows, columns] with rows ≥ columns, all of whose singular values come near 1. Zeros stay zeros. */
function orthogonal(matrix: tf.Tensor2D): tf.Tensor2D {
  let x: tf.Tensor2D = tf.div(matrix, tf.add(tf.sqrt(tf.sum(tf.square(matrix))), 1e-7));
  for (let step = 0; step < STEPS; step++) {
    const square: tf.Tensor2D = tf.matMul(x, x, true, false);
    const polynomial: tf.Tensor2D = tf.add(tf.mul(square, B), tf.mul(tf.matMul(square, square), C));
    x = tf.add(tf.mul(x, A), tf.matMul(x, polynomial));
  }
  return x;
}
