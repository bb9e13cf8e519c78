import * as tf from '@tensorflow/tfjs-core';

/** Added to the mean square, so that a row of zeros stays one. */
const FLOOR = 1e-12;

/** Rows [batch, width] divided by their lengths. The mean square is within the range of float16 where the sum may not be. */
export function unitRows(rows: tf.Tensor2D): tf.Tensor2D {
  const square = tf.mean(tf.square(rows), -1, true);
  return tf.mul(rows, tf.mul(tf.rsqrt(tf.add(square, FLOOR)), 1 / Math.sqrt(rows.shape[1])));
}
