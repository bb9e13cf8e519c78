import * as tf from '@tensorflow/tfjs-core';

/** Factor on cosines, as in sentence-transformers. */
const SCALE = 20;

/** Added to a difference that is not compared; any other is negligible beside it. */
const OUT = -1e9;

/** Cosines of pairs of neighbouring rows, and their targets; `known`: 1 where both rows are of one pair with a similarity, else 0. */
interface Pairs {
  /** [groups, pairs] */
  readonly cosines: tf.Tensor2D;
  /** [1, pairs] each. */
  readonly similarities: tf.Tensor2D;
  readonly known: tf.Tensor2D;
}

/**
 * Su 2022, "CoSENT", as CoSENTLoss of sentence-transformers has it: the loss of a batch depends on the order of similarities alone, which may have any scale.
 *
 *   L = log( 1 + Σ_{s_i < s_j} exp(20 (cos_i - cos_j)) )
 *
 * `vectors`: [groups · batch, width], of length 1, prefixes after prefixes; `targets`: [groups · batch, 2], number and similarity of the pair. The result is
 * [groups · batch]: the loss of the group, 0 for a row that is of no pair in the batch.
 */
export function cosent(vectors: tf.Tensor2D, targets: tf.Tensor2D, groups: number): tf.Tensor1D {
  const { cosines, similarities, known } = pairsOf(vectors, targets, groups);
  const isLess = tf.cast(tf.less(tf.transpose(similarities), similarities), 'float32');
  const compared = tf.expandDims(tf.mul(isLess, tf.mul(tf.transpose(known), known)), 0);
  const scaled = tf.mul(cosines, SCALE);
  const differences = tf.sub(tf.expandDims(scaled, 2), tf.expandDims(scaled, 1));
  const among = tf.add(tf.mul(differences, compared), tf.mul(tf.sub(1, compared), OUT));
  // The logarithm of the softmax of a first 0 is the negative of the loss.
  const logs = tf.logSoftmax(
    tf.pad(tf.reshape<tf.Rank.R2>(among, [groups, -1]), [
      [0, 0],
      [1, 0],
    ]),
  );
  const losses = tf.neg(tf.slice(logs, [0, 0], [-1, 1]));
  return ofRows(tf.mul(losses, known), vectors.shape[0]);
}

/** Squared difference of the cosine of a pair and its similarity, as CosineSimilarityLoss of sentence-transformers; form as that of `cosent`. */
export function squaredCosine(vectors: tf.Tensor2D, targets: tf.Tensor2D, groups: number): tf.Tensor1D {
  const { cosines, similarities, known } = pairsOf(vectors, targets, groups);
  return ofRows(tf.mul(tf.square(tf.sub(cosines, similarities)), known), vectors.shape[0]);
}

/** Batches have the rows of a pair beside one another; a last row without a partner is left out. */
function pairsOf(vectors: tf.Tensor2D, targets: tf.Tensor2D, groups: number): Pairs {
  const [rows, width] = vectors.shape;
  const pairs = Math.floor(rows / groups / 2);
  const inGroups = tf.slice(tf.reshape(vectors, [groups, -1, width]), [0, 0, 0], [groups, 2 * pairs, width]);
  const both = tf.reshape<tf.Rank.R4>(inGroups, [groups, pairs, 2, width]);
  const [first, second] = [0, 1].map((at) => tf.slice(both, [0, 0, at, 0], [-1, -1, 1, -1])) as [tf.Tensor, tf.Tensor];
  const columns = tf.reshape<tf.Rank.R3>(tf.slice(targets, [0, 0], [2 * pairs, 2]), [pairs, 2, 2]);
  const column = (row: number, at: number): tf.Tensor2D =>
    tf.reshape(tf.slice(columns, [0, row, at], [-1, 1, 1]), [1, pairs]);
  const isOne = tf.cast(tf.equal(column(0, 0), column(1, 0)), 'float32');
  return {
    cosines: tf.reshape(tf.sum(tf.mul(first, second), -1), [groups, pairs]),
    similarities: column(0, 1),
    known: tf.mul(isOne, tf.cast(tf.greaterEqual(column(0, 0), 0), 'float32')),
  };
}

/** [groups, pairs] as [groups · batch]. */
function ofRows(values: tf.Tensor2D, rows: number): tf.Tensor1D {
  const [groups, pairs] = values.shape;
  const twice = tf.reshape<tf.Rank.R2>(tf.tile(tf.expandDims(values, 2), [1, 1, 2]), [groups, 2 * pairs]);
  return tf.reshape(
    tf.pad(twice, [
      [0, 0],
      [0, rows / groups - 2 * pairs],
    ]),
    [-1],
  );
}
