import * as tf from '@tensorflow/tfjs-core';
import { both, featureLoss } from './features.ts';

/**
 * Tung & Mori 2019 (ICCV), "Similarity-preserving knowledge distillation", equations 1 to 4.
 *
 *   distance = 1/n² ‖G_s - G_t‖²_F,   G: the products F Fᵀ of all samples of the batch, each row of length 1
 *
 * A sample of weight w counts as w samples, along rows, columns and in n = Σ w. Shapes of student and teacher may differ: each
 * is flattened, and similarities are computed within each.
 */
export const sp = featureLoss({
  check: () => undefined,
  distance: (pair, input) => {
    const { weights } = input;
    const { student, teacher } = both(pair, input);
    const difference = tf.squaredDifference(similarity(student, weights), similarity(teacher, weights));
    const counted = tf.mul(tf.mul(difference, tf.expandDims(weights, 0)), tf.expandDims(weights, 1));
    return tf.div(tf.sum(counted), tf.maximum(tf.square(tf.sum(weights)), 1e-12));
  },
});

/** [batch, batch] */
function similarity(feature: tf.Tensor, weights: tf.Tensor1D): tf.Tensor {
  const rows = tf.reshape<tf.Rank.R2>(feature, [feature.shape[0], -1]);
  const products = tf.matMul(rows, rows, false, true);
  const lengths = tf.sum(tf.mul(tf.square(products), tf.expandDims(weights, 0)), 1, true);
  return tf.mul(products, tf.rsqrt(tf.add(lengths, 1e-24)));
}
