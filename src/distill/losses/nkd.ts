import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { mixed, targetMask, teacherLogits, weightedMean, withoutTarget } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Yang et al. 2023 (ICCV), "From knowledge distillation to self-knowledge distillation: a unified approach with normalized loss
 * and customized soft labels", equation 6.
 *
 *   NKD = -pᵗ_y log pˢ_y - γ · T² · Σ_{k≠y} p̂ᵗ_k log p̂ˢ_k,   L = α · NKD + (1 - α) · CE(s, y)
 *
 * p: softmax; p̂: softmax at temperature T over the other classes alone, so that both sum to 1 and the student can match
 * the teacher whatever the probability of the true class. The second part uses the label only to exclude its class.
 */
export const nkd = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('nkd', input, normalized(input)),
});

function normalized(input: LossInput): tf.Scalar {
  const { studentLogits, targets, weights, hyper } = input;
  const temperature = hyper['temperature']!;
  const teacher = teacherLogits(input);
  const isTarget = targetMask(targets);
  const atTarget = tf.mul(tf.mul(tf.softmax(teacher), tf.logSoftmax(studentLogits)), isTarget);
  const others = (logits: tf.Tensor2D): tf.Tensor => withoutTarget(tf.div(logits, temperature), isTarget);
  // The left-out class has probability 0 and logarithm -1e9.
  const apart = tf.mul(tf.mul(tf.softmax(others(teacher)), tf.logSoftmax(others(studentLogits))), tf.sub(1, isTarget));
  const factor = tf.mul(tf.square(temperature), hyper['nonTargetWeight']!);
  return tf.neg(weightedMean(tf.sum(tf.add(atTarget, tf.mul(apart, factor)), -1), weights));
}
