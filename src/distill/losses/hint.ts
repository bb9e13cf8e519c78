import * as tf from '@tensorflow/tfjs-core';
import { weightedMean } from './common.ts';
import { checkSizes, featureLoss, perSample } from './features.ts';
import { projected, projector } from './projector.ts';

/**
 * Romero et al. 2015, "FitNets: hints for thin deep nets", equation 3, in one stage with KD instead of two after one another.
 *
 *   distance = mean (r(F_s) - F_t)²
 *
 * r is a learned 1×1 convolution from the student's channels to the teacher's.
 */
export const hint = featureLoss({
  check: checkSizes,
  variables: (pair, seed) => projector('hint', pair, seed),
  distance: (pair, input, variables) => {
    const { student, teacher } = projected('hint', pair, input, variables);
    return weightedMean(perSample(tf.squaredDifference(student, teacher)), input.weights);
  },
});
