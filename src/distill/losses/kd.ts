import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { mixed, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network".
 *
 *   L = α · T² · KL(softmax(t/T) ‖ softmax(s/T)) + (1 - α) · CE(s, y)
 *
 * T² makes the size of the soft part's gradients independent of the temperature (section 2.1).
 */
export const kd = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('kd', input, softened(input, input.studentLogits, teacherLogits(input))),
});

/** T² · KL(softmax(t/T) ‖ softmax(s/T)), weighted mean over the batch. */
export function softened({ task, weights, hyper }: LossInput, student: tf.Tensor2D, teacher: tf.Tensor2D): tf.Scalar {
  const temperature = hyper['temperature']!;
  if (task.divergence === undefined) throw new Error('this loss is of tasks with a temperature');
  return tf.mul(weightedMean(task.divergence(teacher, student, temperature), weights), tf.square(temperature));
}
