import * as tf from '@tensorflow/tfjs-core';
import type { FeaturePair, LossInput } from '../../train/loss.ts';
import { mixed, teacherLogits, weightedMean } from './common.ts';
import type { LossDefinition } from './define.ts';
import { aligned, checkSizes, perSample, requireFeatures } from './features.ts';
import { softened } from './kd.ts';

/**
 * Zagoruyko & Komodakis 2017, "Paying more attention to attention", with mean squares as in their code.
 *
 *   Q(F) = v / ‖v‖₂,  v = mean over channels of F²,   L = b · Σ_pairs mean (Q(F_s) - Q(F_t))² + α · T² · KL(…) + (1 - α) · CE(s, y)
 */
export const attention: LossDefinition = {
  needs: 'features',
  build: (name, { hyper, ...args }) => {
    const features = requireFeatures(name, args.features);
    features.forEach((pair) => checkSizes(name, pair));
    return {
      name,
      needs: 'features',
      hyper,
      features,
      variables: {},
      compute: (input) => {
        const maps = tf.addN(features.map((pair) => distance(pair, input)));
        const { loss, parts } = mixed('kd', input, softened(input, input.studentLogits, teacherLogits(input)));
        return {
          loss: tf.add(loss, tf.mul(maps, input.hyper['featureWeight']!)),
          parts: { ...parts, attention: maps },
        };
      },
    };
  },
};

function distance(pair: FeaturePair, input: LossInput): tf.Scalar {
  const { student, teacher } = aligned(pair, input);
  const difference = tf.squaredDifference(attentionMap(student), attentionMap(teacher));
  return weightedMean(perSample(difference), input.weights);
}

/** [batch, positions], of length 1. */
function attentionMap(feature: tf.Tensor): tf.Tensor {
  const flat = tf.reshape(tf.mean(tf.square(feature), -1), [feature.shape[0], -1]);
  return tf.mul(flat, tf.rsqrt(tf.add(tf.sum(tf.square(flat), -1, true), 1e-24)));
}
