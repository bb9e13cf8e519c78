import * as tf from '@tensorflow/tfjs-core';
import type { LossInput, LossOutput } from '../../train/loss.ts';

/** Σ w·x / Σ w over the batch; `values` [batch]. Weights that are all 0 give 0. */
export function weightedMean(values: tf.Tensor, weights: tf.Tensor1D): tf.Scalar {
  return tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1e-12));
}

/** The share of each sample in the batch, [batch]: Σ = 1. Weights that are all 0 give 0. */
export function shares(weights: tf.Tensor1D): tf.Tensor1D {
  return tf.div(weights, tf.maximum(tf.sum(weights), 1e-12));
}

/** Huber's loss of each value with δ = 1: x²/2 up to 1, |x| - ½ beyond. */
export function smoothL1(values: tf.Tensor): tf.Tensor {
  const size = tf.abs(values);
  const near = tf.minimum(size, 1);
  return tf.mul(near, tf.sub(size, tf.mul(near, 0.5)));
}

/** Takes the target class out of a softmax; every float32 logit disappears beside it. */
const OUT = -1e9;

/** Ones at the class of the label, [batch, classes]; at the larger one of a mixed label. */
export function targetMask(targets: tf.Tensor2D): tf.Tensor2D {
  return tf.oneHot(tf.argMax(targets, -1), targets.shape[1], 1, 0, 'float32') as tf.Tensor2D;
}

/** Logits [batch, classes] whose softmax has all classes but the one that is masked. */
export function withoutTarget(logits: tf.Tensor, isTarget: tf.Tensor): tf.Tensor {
  return tf.add(logits, tf.mul(isTarget, OUT));
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
