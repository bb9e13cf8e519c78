import * as tf from '@tensorflow/tfjs-core';
import { weightedMean } from './common.ts';
import { aligned, checkSizes, featureLoss, perSample } from './features.ts';

/**
 * Zagoruyko & Komodakis 2017, "Paying more attention to attention", with mean squares as in their code.
 *
 *   Q(F) = v / ‖v‖₂,  v = mean over channels of F²,   distance = mean (Q(F_s) - Q(F_t))²
 */
export const attention = featureLoss({
  check: checkSizes,
  distance: (pair, input) => {
    const { student, teacher } = aligned(pair, input);
    const difference = tf.squaredDifference(attentionMap(student), attentionMap(teacher));
    return weightedMean(perSample(difference), input.weights);
  },
});

/** [batch, positions], each row of length 1. */
function attentionMap(feature: tf.Tensor): tf.Tensor {
  const flat = tf.reshape(tf.mean(tf.square(feature), -1), [feature.shape[0], -1]);
  return tf.mul(flat, tf.rsqrt(tf.add(tf.sum(tf.square(flat), -1, true), 1e-24)));
}
