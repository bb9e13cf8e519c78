import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { shares, weightedMean } from './common.ts';
import { checkSizes, featureLoss, perSample } from './features.ts';
import { projected, projectorIfNeeded } from './projector.ts';

/**
 * Cao et al. 2022 (NeurIPS), "PKD: general distillation framework for object detectors via Pearson correlation coefficient",
 * equation 4.
 *
 *   distance = ½ mean (Ẑ(F_s) - Ẑ(F_t))²,   Ẑ: each channel with mean 0 and deviation 1 over the batch and all positions
 *
 * That is 1 - ρ, channel by channel: the student need not match the scale of the teacher's tensors. If the numbers of channels
 * differ, a 1×1 convolution is trained with the student. Weights of samples also apply to mean and deviation.
 */
export const pkd = featureLoss({
  check: checkSizes,
  variables: (pair, seed) => projectorIfNeeded('pkd', pair, seed, false),
  distance: (pair, input, variables) => {
    const { student, teacher } = projected('pkd', pair, input, variables);
    const difference = tf.squaredDifference(standardized(student, input), standardized(teacher, input));
    return tf.mul(weightedMean(perSample(difference), input.weights), 0.5);
  },
});

/** Minimum variance: it keeps the gradient of a constant channel finite. */
const FLOOR = 1e-12;

function standardized(feature: tf.Tensor, { weights }: LossInput): tf.Tensor {
  const rows = tf.reshape<tf.Rank.R3>(feature, [feature.shape[0], -1, feature.shape.at(-1)!]);
  const share = tf.reshape(shares(weights), [-1, 1, 1]);
  const over = (x: tf.Tensor): tf.Tensor => tf.mean(tf.sum(tf.mul(x, share), 0, true), 1, true);
  const centred = tf.sub(rows, over(rows));
  return tf.div(centred, tf.sqrt(tf.add(over(tf.square(centred)), FLOOR)));
}
