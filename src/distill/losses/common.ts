import * as tf from '@tensorflow/tfjs-core';
import type { LossInput, LossOutput } from '../../train/loss.ts';

/** Σ w·x / Σ w over the batch; `values` [batch]. Weights that are all 0 give 0. */
export function weightedMean(values: tf.Tensor, weights: tf.Tensor1D): tf.Scalar {
  return tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1e-12));
}

/** Cross-entropy of each sample, [batch]: -Σ_k target_k · log softmax(logits)_k. */
function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D {
  return tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), -1));
}

/**
 * KL(p ‖ q) of each row from log-probabilities, [batch]. Stays finite for any finite logarithm: where p underflows to 0,
 * so does its term.
 */
export function divergence(logP: tf.Tensor, logQ: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.mul(tf.exp(logP), tf.sub(logP, logQ)), -1);
}

/** Szegedy et al. 2016, "Rethinking the Inception architecture", section 7: `share` of the target spread over all classes. */
function smoothed(targets: tf.Tensor2D, share: tf.Scalar): tf.Tensor2D {
  return tf.add(tf.mul(targets, tf.sub(1, share)), tf.div(share, targets.shape[1]));
}

/** Weighted mean cross-entropy with the labels, smoothed by `hyper.labelSmoothing`. */
export function labelLoss({ studentLogits, targets, weights, hyper }: LossInput): tf.Scalar {
  return weightedMean(crossEntropy(studentLogits, smoothed(targets, hyper['labelSmoothing']!)), weights);
}

/** (1 - alpha) · cross-entropy with the labels + alpha · `soft`, the part that the teacher decides. */
export function mixed(name: string, input: LossInput, soft: tf.Scalar): LossOutput {
  const ce = labelLoss(input);
  const alpha = input.hyper['alpha']!;
  const loss: tf.Scalar = tf.add(tf.mul(ce, tf.sub(1, alpha)), tf.mul(soft, alpha));
  return { loss, parts: { ce, [name]: soft } };
}

/** The teacher's logits; a training program feeds them whenever a loss needs more than labels. */
export function teacherLogits(input: LossInput): tf.Tensor2D {
  if (input.teacherLogits === undefined) throw new Error('this loss needs teacherLogits');
  return input.teacherLogits;
}
