import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { mixed, teacherLogits } from './common.ts';
import { logitLoss } from './define.ts';
import { softened } from './kd.ts';

/**
 * Jin et al. 2023 (CVPR), "Multi-level logit distillation", equations 4 to 8.
 *
 *   MLLD = Σ over temperatures of a · τ² · KL(pᵗ ‖ pˢ) + b · 1/n ‖Pᵗ Pᵗᵀ - Pˢ Pˢᵀ‖²_F + c · 1/K ‖Pᵗᵀ Pᵗ - Pˢᵀ Pˢ‖²_F
 *   L = α · MLLD + (1 - α) · CE(s, y)
 *
 * P [n, K]: the softened probabilities of the batch; its products are similarities of samples, and of classes. The temperatures surround
 * T: 2, 3, 4, 5 and 6 for T = 4, as in the authors' code, whose strongly augmented view and masks by confidence are left out.
 * A sample of weight w counts as w samples.
 */
export const mlld = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('mlld', input, levels(input)),
});

const FACTORS = [0.5, 0.75, 1, 1.25, 1.5];

function levels(input: LossInput): tf.Scalar {
  const { hyper, studentLogits, weights } = input;
  const teacher = teacherLogits(input);
  const terms = FACTORS.flatMap((factor) => {
    const temperature: tf.Scalar = tf.mul(hyper['temperature']!, factor);
    const at = { ...input, hyper: { ...hyper, temperature } };
    const soften = (logits: tf.Tensor2D): tf.Tensor2D => tf.softmax(tf.div<tf.Tensor2D>(logits, temperature));
    const [p, q] = [soften(teacher), soften(studentLogits)];
    return [
      tf.mul(softened(at, studentLogits, teacher), hyper['instanceWeight']!),
      tf.mul(betweenSamples(p, q, weights), hyper['batchWeight']!),
      tf.mul(betweenClasses(p, q, weights), hyper['classWeight']!),
    ];
  });
  return tf.sum(tf.stack(terms));
}

function betweenSamples(p: tf.Tensor2D, q: tf.Tensor2D, weights: tf.Tensor1D): tf.Scalar {
  const difference = tf.squaredDifference(tf.matMul(p, p, false, true), tf.matMul(q, q, false, true));
  const counted = tf.mul(tf.mul(difference, tf.expandDims(weights, 0)), tf.expandDims(weights, 1));
  return tf.div(tf.sum(counted), tf.maximum(tf.sum(weights), 1e-12));
}

function betweenClasses(p: tf.Tensor2D, q: tf.Tensor2D, weights: tf.Tensor1D): tf.Scalar {
  const alike = (x: tf.Tensor2D): tf.Tensor => tf.matMul(x, tf.mul(x, tf.expandDims(weights, 1)), true);
  return tf.div(tf.sum(tf.squaredDifference(alike(p), alike(q))), p.shape[1]);
}
