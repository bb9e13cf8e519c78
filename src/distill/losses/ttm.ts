import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { divergence, mixed, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Zheng & Yang 2024 (ICLR), "Knowledge distillation based on transformed teacher matching", equation 11.
 *
 *   L = α · KL(p ‖ softmax(s)) + (1 - α) · CE(s, y),   p = softmax(t/T), the teacher's probabilities to the power 1/T, rescaled
 *
 * Only the teacher's logits are divided by the temperature. Compared with KD this adds a regularization. The paper's β is α / (1 - α).
 */
export const ttm = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('ttm', input, weightedMean(transformed(input).divergence, input.weights)),
});

/**
 * Equation 16 of the same paper: samples are weighed by the power sum of the teacher's answer, so that soft answers count more.
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
