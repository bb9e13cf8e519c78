import * as tf from '@tensorflow/tfjs-core';
import { weightedMean } from './common.ts';
import { checkSizes, featureLoss, perSample } from './features.ts';
import { projected, projector } from './projector.ts';

/**
 * Romero et al. 2015, "FitNets: hints for thin deep nets", equation 3, trained together with KD instead of in a stage before it.
 *
 * distance = mean (r(F_s) - F_t)²
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
