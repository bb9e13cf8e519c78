import * as tf from '@tensorflow/tfjs-core';
import { mixed, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Angle between the vectors of student s and teacher t, both of length 1, as in the last stage of Reimers and Gurevych 2020, "Making monolingual sentence
 * embeddings multilingual using knowledge distillation", whose squared distance is twice this value.
 *
 *   L = α · (1 - s · t) + (1 - α) · label loss
 */
export const cosine = logitLoss({
  needs: 'logits',
  compute: (input) => {
    const likeness = tf.sum(tf.mul(input.studentLogits, teacherLogits(input)), -1);
    return mixed('cosine', input, weightedMean(tf.sub(1, likeness), input.weights));
  },
});
