import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { smoothL1 } from './common.ts';
import { both, featureLoss } from './features.ts';

/**
 * Park et al. 2019 (CVPR), "Relational knowledge distillation", equations 4 to 8.
 *
 *   distance = a · mean over pairs of ℓ(ψ_D(t_i, t_j), ψ_D(s_i, s_j)) + b · mean over triples of ℓ(ψ_A(t_i, t_j, t_k), ψ_A(s_i, s_j, s_k))
 *   ψ_D(i, j) = ‖f_i - f_j‖ / (mean over pairs),   ψ_A(i, j, k) = cos ∠(f_i, f_j, f_k),   ℓ: Huber's loss with δ = 1
 *
 * Over distinct samples of a batch; a pair counts by the product of its samples' weights, so samples of weight 0 do not count.
 * Shapes of student and teacher may differ: each is flattened, and relations are computed within each.
 */
export const rkd = featureLoss({
  check: () => undefined,
  distance: (pair, input) => {
    const { student, teacher } = both(pair, input);
    const { pairs, triples } = counts(input.weights);
    const [s, t] = [relations(student, pairs), relations(teacher, pairs)];
    const distances = meanOver(pairs, smoothL1(tf.sub(s.distances, t.distances)));
    const angles = meanOver(triples, smoothL1(tf.sub(s.angles, t.angles)));
    return sum(input, distances, angles);
  },
});

function sum({ hyper }: LossInput, distances: tf.Scalar, angles: tf.Scalar): tf.Scalar {
  return tf.add(tf.mul(distances, hyper['distanceWeight']!), tf.mul(angles, hyper['angleWeight']!));
}

/** Weights of the pairs, [batch, batch], and of the triples, [batch, batch, batch], with the vertex in the middle. */
function counts(weights: tf.Tensor1D): { pairs: tf.Tensor2D; triples: tf.Tensor3D } {
  const size = weights.shape[0];
  const different = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 0 : 1));
  const apart = tf.tensor2d(different, [size, size]);
  const pairs = tf.mul<tf.Tensor2D>(apart, tf.mul(tf.expandDims(weights, 0), tf.expandDims(weights, 1)));
  const corners = tf.mul(tf.expandDims(apart, 2), tf.expandDims(apart, 0));
  const ends = tf.mul(tf.expandDims(pairs, 1), tf.reshape(weights, [1, size, 1]));
  return { pairs, triples: tf.mul(corners, ends) };
}

function meanOver(counted: tf.Tensor, values: tf.Tensor): tf.Scalar {
  return tf.div(tf.sum(tf.mul(counted, values)), tf.maximum(tf.sum(counted), 1e-12));
}

/** A squared distance below this share of the squared norms is float32 rounding: the samples coincide. */
const NOISE = 1e-6;

/** Distances [batch, batch] divided by their mean, and cosines of the angles [batch, vertex, batch]; 0 for samples that coincide. */
function relations(feature: tf.Tensor, pairs: tf.Tensor2D): { distances: tf.Tensor; angles: tf.Tensor } {
  const rows = tf.reshape<tf.Rank.R2>(feature, [feature.shape[0], -1]);
  // Centring does not change differences, and improves their precision in float32.
  const centred = tf.sub<tf.Tensor2D>(rows, tf.mean(rows, 0, true));
  const products = tf.matMul(centred, centred, false, true);
  const squares = tf.sum(tf.square(centred), 1);
  const both = tf.add(tf.expandDims(squares, 0), tf.expandDims(squares, 1));
  const apart = tf.sub(both, tf.mul(products, 2));
  const floor = tf.add(tf.mul(both, NOISE), 1e-12);
  const areApart = tf.step(tf.sub(apart, floor));
  const lengths = tf.mul(tf.sqrt(tf.maximum(apart, floor)), areApart);
  const inverse = tf.mul(tf.rsqrt(tf.maximum(apart, floor)), areApart);
  // (f_i - f_j) · (f_k - f_j) = f_i·f_k - f_i·f_j - f_j·f_k + f_j·f_j
  const ends = tf.sub(tf.sub(tf.expandDims(products, 1), tf.expandDims(products, 2)), tf.expandDims(products, 0));
  const dots = tf.add(ends, tf.reshape(squares, [1, -1, 1]));
  const angles = tf.mul(tf.mul(dots, tf.expandDims(inverse, 2)), tf.expandDims(inverse, 0));
  return { distances: tf.div(lengths, tf.maximum(meanOver(pairs, lengths), 1e-12)), angles };
}
