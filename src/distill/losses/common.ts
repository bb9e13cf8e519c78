import * as tf from '@tensorflow/tfjs-core';
import type { LossInput, LossOutput } from '../../train/loss.ts';

export { divergence } from '../../tasks/classification.ts';

/** Σ w·x / Σ w over the batch; `values` [batch]. Weights that are all 0 give 0. */
export function weightedMean(values: tf.Tensor, weights: tf.Tensor1D): tf.Scalar {
  return tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1e-12));
}

/** Weighted mean of what the task makes of the labels, e.g. their cross-entropy. */
export function labelLoss({ task, studentLogits, targets, weights, hyper }: LossInput): tf.Scalar {
  return weightedMean(task.loss(studentLogits, targets, hyper), weights);
}

/** (1 - alpha) · loss with the labels + alpha · `soft`, the part that the teacher decides. */
export function mixed(name: string, input: LossInput, soft: tf.Scalar): LossOutput {
  const label = labelLoss(input);
  const alpha = input.hyper['alpha']!;
  const loss: tf.Scalar = tf.add(tf.mul(label, tf.sub(1, alpha)), tf.mul(soft, alpha));
  return { loss, parts: { [input.task.lossName]: label, [name]: soft } };
}

/** The teacher's logits; a training program feeds them whenever a loss needs more than labels. */
export function teacherLogits(input: LossInput): tf.Tensor2D {
  if (input.teacherLogits === undefined) throw new Error('this loss needs teacherLogits');
  return input.teacherLogits;
}
