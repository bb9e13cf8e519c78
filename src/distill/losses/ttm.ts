import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { divergence, mixed, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Zheng & Yang 2024 (ICLR), "Knowledge distillation based on transformed teacher matching", equation 11.
 *
 *   L = α · KL(p ‖ softmax(s)) + (1 - α) · CE(s, y),   p = softmax(t/T), the teacher's probabilities to the power 1/T, rescaled
 *
 * The temperature is the teacher's alone: what KD with the student's too leaves out is a regularization that this keeps. Theirs is
 * β = α / (1 - α).
 */
export const ttm = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('ttm', input, weightedMean(transformed(input).divergence, input.weights)),
});

/**
 * The same paper, equation 16: each sample weighed by the power sum of its teacher's answer, so that soft answers count more.
 *
 *   L = α · U · KL(p ‖ softmax(s)) + (1 - α) · CE(s, y),   U = Σ_k softmax(t)_k^(1/T)
 */
export const wttm = logitLoss({
  needs: 'logits',
  compute: (input) => {
    const { divergence: each, powerSum } = transformed(input);
    return mixed('wttm', input, weightedMean(tf.mul(each, powerSum), input.weights));
  },
});

/** KL divergence from the transformed teacher, and the sum of the powers, each [batch]. */
function transformed(input: LossInput): { divergence: tf.Tensor; powerSum: tf.Tensor } {
  const powers = tf.div(tf.logSoftmax(teacherLogits(input)), input.hyper['temperature']!);
  const log = tf.logSoftmax(powers);
  return {
    divergence: divergence(log, tf.logSoftmax(input.studentLogits)),
    powerSum: tf.sum(tf.exp(powers), -1),
  };
}
