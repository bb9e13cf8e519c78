import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { mixed, shares, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Huang et al. 2022 (NeurIPS), "Knowledge distillation from a stronger teacher".
 *
 *   DIST = T² · (b · (1 - mean over samples of ρ(pˢ_i·, pᵗ_i·)) + c · (1 - mean over classes of ρ(pˢ_·k, pᵗ_·k)))
 *   L = α · DIST + (1 - α) · CE(s, y)
 *
 * ρ is Pearson's correlation of softened probabilities: the student learns the teacher's order rather than its values. Along the batch
 * the correlation counts each sample by its weight.
 */
export const dist = logitLoss({
  needs: 'logits',
  compute: (input) => mixed('dist', input, relations(input)),
});

function relations(input: LossInput): tf.Scalar {
  const { weights, hyper } = input;
  const temperature = hyper['temperature']!;
  const student = tf.softmax(tf.div(input.studentLogits, temperature));
  const teacher = tf.softmax(tf.div(teacherLogits(input), temperature));
  const inter = tf.sub(1, weightedMean(correlation(student, teacher, 1), weights));
  const intra = tf.sub(1, tf.mean(correlation(student, teacher, 0, tf.expandDims(shares(weights), 1))));
  const sum = tf.add(tf.mul(inter, hyper['interWeight']!), tf.mul(intra, hyper['intraWeight']!));
  return tf.mul(sum, tf.square(temperature));
}

/** Minimum squared norm: a shorter vector has no meaningful direction, and its gradient is cut off. */
const FLOOR = 1e-12;

/** Pearson's ρ along `axis`; `share`: weights of the entries, which sum to 1 along it. */
function correlation(a: tf.Tensor, b: tf.Tensor, axis: number, share?: tf.Tensor): tf.Tensor {
  const along = (x: tf.Tensor): tf.Tensor =>
    share === undefined ? tf.mean(x, axis, true) : tf.sum(tf.mul(x, share), axis, true);
  const [x, y] = [tf.sub(a, along(a)), tf.sub(b, along(b))];
  const scale = tf.mul(tf.add(along(tf.square(x)), FLOOR), tf.add(along(tf.square(y)), FLOOR));
  return tf.squeeze(tf.mul(along(tf.mul(x, y)), tf.rsqrt(scale)), [axis]);
}
