import * as tf from '@tensorflow/tfjs-core';

/** Temperature of the paper for the loss with labels. */
const TEMPERATURE = 0.1;

/** Added to the likeness of samples that are not compared; any other is negligible beside it. */
const OUT = -1e9;

/**
 * Khosla et al. 2020, "Supervised contrastive learning", equation 2: InfoNCE with every other sample of the class in the batch as a positive.
 *
 *   L_i = -1/|P(i)| Σ_{p ∈ P(i)} log( exp(z_i · z_p / τ) / Σ_{a ≠ i} exp(z_i · z_a / τ) )
 *
 * `vectors`: [groups · batch, width], prefixes after prefixes; only samples of one group are compared. `classes`: [groups · batch, 1]. The result is
 * [groups · batch]: 0 for a sample without another of its class in the batch, and for one of an unknown class, below 0, which is compared with none.
 */
export function supervisedContrast(vectors: tf.Tensor2D, classes: tf.Tensor2D, groups: number): tf.Tensor1D {
  const [rows, width] = vectors.shape;
  const batch = rows / groups;
  const z = tf.reshape(vectors, [groups, batch, width]);
  const labels = tf.slice(classes, [0, 0], [batch, 1]);
  const isKnown = tf.cast(tf.greaterEqual(labels, 0), 'float32');
  const others = tf.tensor2d(
    Float32Array.from({ length: batch * batch }, (_, i) => (i % (batch + 1) === 0 ? 0 : 1)),
    [batch, batch],
  );
  const compared = tf.mul(others, tf.mul(isKnown, tf.transpose(isKnown)));
  const positive = tf.mul(tf.cast(tf.equal(labels, tf.transpose(labels)), 'float32'), compared);
  const likeness = tf.div(tf.matMul(z, z, false, true), TEMPERATURE);
  const among = tf.add(likeness, tf.mul(tf.sub(1, compared), OUT));
  const logs = tf.logSoftmax(among);
  // What is not compared has a logarithm of -1e9, which times 0 is 0.
  const sums = tf.sum(tf.mul(logs, tf.expandDims(positive, 0)), -1);
  const counts = tf.maximum(tf.sum(positive, -1), 1);
  return tf.reshape(tf.neg(tf.div(sums, tf.expandDims(counts, 0))), [-1]);
}

/**
 * KL of the softmax of the likenesses to the teacher's vectors in the batch, divided by a temperature: [groups · batch]. It stands where losses of inner
 * tensors compare answers of classes.
 */
export function batchDivergence(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  temperature: tf.Scalar,
  groups: number,
): tf.Tensor1D {
  const [t, s] = [teacher, student].map((rows) => tf.reshape(rows, [groups, -1, rows.shape[1]])) as [
    tf.Tensor3D,
    tf.Tensor3D,
  ];
  const [p, q] = [t, s].map((rows) => tf.logSoftmax(tf.div(tf.matMul(rows, t, false, true), temperature))) as [
    tf.Tensor,
    tf.Tensor,
  ];
  return tf.reshape(tf.sum(tf.mul(tf.exp(p), tf.sub(p, q)), -1), [-1]);
}
