import * as tf from '@tensorflow/tfjs-core';
import { divergence, weightedMean } from './common.ts';
import { checkPlaces, featureLoss, perSample } from './features.ts';
import { projected, projectorIfNeeded } from './projector.ts';

/**
 * Shu et al. 2021 (ICCV), "Channel-wise knowledge distillation for dense prediction", equations 5 and 6.
 *
 *   distance = τ² · mean over channels of KL(φ(F_t) ‖ φ(F_s)),   φ: softmax of F / τ over the positions of a channel
 *
 * If the numbers of channels differ, a 1×1 convolution is trained with the student.
 */
export const cwd = featureLoss({
  check: checkPlaces,
  variables: (pair, seed) => projectorIfNeeded('cwd', pair, seed, false),
  distance: (pair, input, variables) => {
    const { student, teacher } = projected('cwd', pair, input, variables);
    return weightedMean(channelDivergence(student, teacher, input.hyper['mapTemperature']!), input.weights);
  },
});

/** τ² · mean over channels of KL(φ(F_t) ‖ φ(F_s)), [batch]; both tensors [batch, ..., channels]. */
export function channelDivergence(student: tf.Tensor, teacher: tf.Tensor, temperature: tf.Scalar): tf.Tensor1D {
  const logits = [teacher, student].map((feature) => tf.logSoftmax(tf.div(channels(feature), temperature)));
  return tf.mul(perSample(divergence(logits[0]!, logits[1]!)), tf.square(temperature));
}

/** [batch, channels, positions] */
function channels(feature: tf.Tensor): tf.Tensor {
  const rows = tf.reshape(feature, [feature.shape[0], -1, feature.shape.at(-1)!]);
  return tf.transpose(rows, [0, 2, 1]);
}
