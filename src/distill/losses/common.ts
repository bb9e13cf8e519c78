import * as tf from '@tensorflow/tfjs-core';
import type { LossInput, LossOutput } from '../../train/step/loss.ts';

export { divergence } from '../../tasks/divergence.ts';

/** Weighted mean Σ w·x / Σ w over the batch; `values` [batch]. 0 if all weights are 0. */
export function weightedMean(values: tf.Tensor, weights: tf.Tensor1D): tf.Scalar {
  return tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1e-12));
}

/** Share of each sample's weight, [batch]: Σ = 1. 0 if all weights are 0. */
export function shares(weights: tf.Tensor1D): tf.Tensor1D {
  return tf.div(weights, tf.maximum(tf.sum(weights), 1e-12));
}

/** Huber's loss of each value with δ = 1: x²/2 up to 1, |x| - ½ beyond. */
export function smoothL1(values: tf.Tensor): tf.Tensor {
  const size = tf.abs(values);
  const near = tf.minimum(size, 1);
  return tf.mul(near, tf.sub(size, tf.mul(near, 0.5)));
}

/** Number added to the target class's logit to remove it from a softmax; any float32 logit is negligible beside it. */
const OUT = -1e9;

/** One-hot of the label's class, [batch, classes]; for a mixed label, of the class with the larger share. */
export function targetMask(targets: tf.Tensor2D): tf.Tensor2D {
  return tf.oneHot(tf.argMax(targets, -1), targets.shape[1], 1, 0, 'float32') as tf.Tensor2D;
}

/** Logits [batch, classes] whose softmax gives the masked class probability 0. */
export function withoutTarget(logits: tf.Tensor, isTarget: tf.Tensor): tf.Tensor {
  return tf.add(logits, tf.mul(isTarget, OUT));
}

/** Weighted mean of the task's loss with the labels, such as cross-entropy, and what the task adds for the whole batch. */
export function labelLoss({ task, studentLogits, targets, weights: all, hyper, partial }: LossInput): tf.Scalar {
  const weights = partial?.labels ?? all;
  const mean = weightedMean(task.loss(studentLogits, targets, hyper), weights);
  const more = task.batchLoss?.(studentLogits, targets, weights, hyper);
  return more === undefined ? mean : tf.add(mean, more);
}

/** (1 - alpha) · loss with the labels + alpha · `soft`, the teacher's part; with `partial`, alpha differs from sample to sample. */
export function mixed(name: string, input: LossInput, soft: tf.Scalar, label = labelLoss(input)): LossOutput {
  const { partial } = input;
  if (partial !== undefined) {
    // Each part times its share of the weight, so that sums over parts of a batch equal the sums over the whole batch.
    const weighed: [tf.Scalar, tf.Scalar] = [tf.mul(label, partial.labelShare), tf.mul(soft, partial.softShare)];
    return { loss: tf.add(...weighed), parts: { [input.task.lossName]: weighed[0], [name]: weighed[1] } };
  }
  const alpha = input.hyper['alpha']!;
  const loss: tf.Scalar = tf.add(tf.mul(label, tf.sub(1, alpha)), tf.mul(soft, alpha));
  return { loss, parts: { [input.task.lossName]: label, [name]: soft } };
}

/** The teacher's logits; a training program feeds them to every loss that needs more than labels. */
export function teacherLogits(input: LossInput): tf.Tensor2D {
  if (input.teacherLogits === undefined) throw new Error('this loss needs teacherLogits');
  return input.teacherLogits;
}
