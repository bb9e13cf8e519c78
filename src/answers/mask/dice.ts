import * as tf from '@tensorflow/tfjs-core';

/**
 * Soft Dice loss over a batch (Milletari et al. 2016, "V-Net", with sums instead of sums of squares, as segmentation_models_pytorch defines it):
 *
 *   L = 1/C · Σ_c [Σ y_c > 0] · (1 - 2 · Σ p_c y_c / (Σ p_c + Σ y_c)),   p: softmax of the logits
 *
 * The sums run over all pixels with a class. `pixels` [rows, classes]: the number of pixels of each class that a row stands for.
 */
export function softDice(logits: tf.Tensor2D, pixels: tf.Tensor2D): tf.Scalar {
  const probabilities = tf.softmax(logits);
  const given = tf.sum(tf.mul(probabilities, tf.sum(pixels, -1, true)), 0);
  const there = tf.sum(pixels, 0);
  const both = tf.sum(tf.mul(probabilities, pixels), 0);
  const score = tf.div(tf.mul(both, 2), tf.maximum(tf.add(given, there), 1e-7));
  return tf.mean(tf.mul(tf.cast(tf.greater(there, 0), 'float32'), tf.sub(1, score)));
}
