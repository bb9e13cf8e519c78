import * as tf from '@tensorflow/tfjs-core';
import { mixed, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Ba & Caruana 2014, "Do deep nets really need to be deep?": regression on logits.
 *
 *   L = α · 1/K Σ_k (s_k - t_k)² + (1 - α) · CE(s, y)
 */
export const mse = logitLoss({
  needs: 'logits',
  compute: (input) => {
    const difference = tf.squaredDifference(input.studentLogits, teacherLogits(input));
    return mixed('mse', input, weightedMean(tf.mean(difference, -1), input.weights));
  },
});
