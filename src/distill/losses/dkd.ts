import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { divergence, mixed, targetMask, teacherLogits, weightedMean, withoutTarget } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Zhao et al. 2022 (CVPR), "Decoupled knowledge distillation".
 *
 *   DKD = T² · (a · KL(bᵗ ‖ bˢ) + b · KL(p̂ᵗ ‖ p̂ˢ)),   L = α · DKD + (1 - α) · CE(s, y)
 *
 * b = (p_target, 1 - p_target), and p̂ is the softmax over the other classes; p at temperature T. Plain KD weighs the second
 * term by 1 - pᵗ_target, which nearly removes it if the teacher is confident.
 */
export const dkd = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('dkd', input, decoupled(input)),
});

function decoupled(input: LossInput): tf.Scalar {
  const { studentLogits, targets, weights, hyper } = input;
  const temperature = hyper['temperature']!;
  const isTarget = targetMask(targets);
  const student = split(tf.div(studentLogits, temperature), isTarget);
  const teacher = split(tf.div(teacherLogits(input), temperature), isTarget);
  const target = tf.mul(divergence(teacher.binary, student.binary), hyper['targetWeight']!);
  const others = tf.mul(divergence(teacher.others, student.others), hyper['nonTargetWeight']!);
  return tf.mul(weightedMean(tf.add(target, others), weights), tf.square(temperature));
}

/** Log-probabilities of (target, not target), [batch, 2], and of the other classes among themselves, [batch, classes]. */
function split(logits: tf.Tensor, isTarget: tf.Tensor): { binary: tf.Tensor; others: tf.Tensor } {
  const without = withoutTarget(logits, isTarget);
  const target = tf.sum(tf.mul(logits, isTarget), -1);
  const binary = tf.logSoftmax(tf.stack([target, tf.logSumExp(without, -1)], -1));
  return { binary, others: tf.logSoftmax(without) };
}
