import * as tf from '@tensorflow/tfjs-core';
import type { Tensors } from '../../networks/network.ts';

/**
 * Flags of each sample of a batch, 1 or 0: it has a label, and the student learns its teacher's answer. They set alpha for each sample: the recipe's
 * value if both are known, 1 with the teacher's answer alone, 0 with the label alone; a sample with neither weighs nothing.
 */
export interface KnownFlags {
  /** [n] */
  readonly label: Float32Array;
  /** [n] */
  readonly answer: Float32Array;
  /** Samples in the training score: those with a label; if no sample has a label, all, with the teacher's answers as targets. */
  readonly scored: Float32Array;
}

/** Weights of a batch, each [batch], and their sums as shares of the weight of the whole batch. */
export interface Partial {
  /** Weights of the label loss: w · label · (1 - α · answer). */
  readonly labels: tf.Tensor1D;
  readonly labelShare: tf.Scalar;
  /** Weights of the teacher's part: w · answer · (1 - label · (1 - α)), scaled to sum to the weight of the samples that it answers. */
  readonly soft: tf.Tensor1D;
  readonly softShare: tf.Scalar;
  /** Weights of losses on inner tensors, which involve no label: w · answer. */
  readonly answers: tf.Tensor1D;
  readonly answerShare: tf.Scalar;
}

/** Splits Σ_i w_i · ((1 - α_i) · label loss_i + α_i · soft_i) / Σ_i w_i into weighted means and their shares. */
export function partialOf(feeds: Tensors, weights: tf.Tensor1D, alpha: tf.Scalar): Partial {
  const [label, answer] = [feeds['hasLabel'] as tf.Tensor1D, feeds['hasAnswer'] as tf.Tensor1D];
  const labels: tf.Tensor1D = tf.mul(tf.mul(weights, label), tf.sub(1, tf.mul(alpha, answer)));
  const answers: tf.Tensor1D = tf.mul(weights, answer);
  const soft: tf.Tensor1D = tf.mul(answers, tf.sub(1, tf.mul(label, tf.sub(1, alpha))));
  const whole = tf.maximum(tf.sum(weights), 1e-12);
  const share = (part: tf.Tensor1D): tf.Scalar => tf.div(tf.sum(part), whole);
  // Losses that compare samples with each other are no means: for them a sample of weight w counts as w samples.
  const scale = tf.div(tf.sum(answers), tf.maximum(tf.sum(soft), 1e-12));
  return {
    labels,
    labelShare: share(labels),
    soft: tf.mul(soft, scale),
    softShare: share(soft),
    answers,
    answerShare: share(answers),
  };
}

/** The batch with the flags of its samples; a sample with neither flag gets weight 0. */
export function withKnown<B extends { readonly weights?: Float32Array }>(
  batch: B,
  known: KnownFlags,
): B & { readonly known: KnownFlags; readonly weights: Float32Array } {
  const weights = known.label.map((has, i) => (has + known.answer[i]! > 0 ? (batch.weights?.[i] ?? 1) : 0));
  return { ...batch, known, weights };
}
