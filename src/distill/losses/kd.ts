import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/loss.ts';
import { divergence, mixed, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network".
 *
 *   L = α · T² · KL(softmax(t/T) ‖ softmax(s/T)) + (1 - α) · CE(s, y)
 *
 * T² keeps the gradients of the soft part at one size whatever the temperature (section 2.1).
 */
export const kd = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('kd', input, softened(input, input.studentLogits, teacherLogits(input))),
});

/** T² · KL(softmax(t/T) ‖ softmax(s/T)), weighted mean over the batch. */
export function softened({ weights, hyper }: LossInput, student: tf.Tensor2D, teacher: tf.Tensor2D): tf.Scalar {
  const temperature = hyper['temperature']!;
  const logP = tf.logSoftmax(tf.div(teacher, temperature));
  const logQ = tf.logSoftmax(tf.div(student, temperature));
  return tf.mul(weightedMean(divergence(logP, logQ), weights), tf.square(temperature));
}
