import * as tf from '@tensorflow/tfjs-core';
import { mixed, teacherLogits } from './common.ts';
import { logitLoss } from './define.ts';
import { softened } from './kd.ts';

/**
 * Sun et al. 2024 (CVPR), "Logit standardization in knowledge distillation".
 *
 *   Z(x) = (x - mean(x)) / std(x),   L = α · T² · KL(softmax(Z(t)/T) ‖ softmax(Z(s)/T)) + (1 - α) · CE(s, y)
 *
 * Mean and deviation are over the classes of each sample, so that the student need not match the scale of the teacher's logits.
 */
export const kdStandardized = logitLoss({
  needs: 'logits',
  compute: (input) => {
    const [student, teacher] = [standardized(input.studentLogits), standardized(teacherLogits(input))];
    return mixed('kd', input, softened(input, student, teacher));
  },
});

/**
 * Logits with mean 0 and deviation 1. As in the authors' code, the deviation divides by K - 1. The floor keeps the gradient of constant logits
 * finite.
 */
function standardized(logits: tf.Tensor2D): tf.Tensor2D {
  const centred = tf.sub(logits, tf.mean(logits, -1, true));
  const variance = tf.div(tf.sum(tf.square(centred), -1, true), Math.max(1, logits.shape[1] - 1));
  return tf.div(centred, tf.sqrt(tf.add(variance, 1e-12)));
}
