import * as tf from '@tensorflow/tfjs-core';
import type { Borders } from './entities.ts';

/**
 * Numbers of true, predicted and right entities of a batch as sums in a graph, so that batches and processes add up exactly. Both sides are one-hot
 * tags [batch, length, tags]; `mask` [batch, length] is 1 at tokens that have a tag. Only these tokens are neighbours; others are skipped.
 */
export function entitySums(
  given: tf.Tensor3D,
  truth: tf.Tensor3D,
  mask: tf.Tensor2D,
  borders: Borders,
): { readonly there: tf.Scalar; readonly given: tf.Scalar; readonly right: tf.Scalar } {
  const [, length] = mask.shape;
  const before = isBefore(mask, length);
  const predicted = chunks(given, mask, before, borders);
  const its = chunks(truth, mask, before, borders);
  const sameBegin = tf.cast(tf.equal(predicted.from, its.from), 'float32');
  const sameType = tf.sum(tf.mul(predicted.types, its.types), -1);
  const right = tf.mul(tf.mul(predicted.ends, its.ends), tf.mul(sameBegin, sameType));
  return { there: tf.sum(its.ends), given: tf.sum(predicted.ends), right: tf.sum(right) };
}

/** [batch, i, j]: 1 if j is the last token with a tag before i. */
function isBefore(mask: tf.Tensor2D, length: number): tf.Tensor3D {
  const places = tf.expandDims(tf.mul(mask, tf.range(1, length + 1)), 1);
  const last = tf.max(tf.mul(places, triangle(length, 1)), -1, true);
  const all = tf.range(1, length + 1);
  return tf.cast(tf.equal<tf.Tensor3D>(last, all), 'float32');
}

/** [length, length]: 1 if column + `behind` is at most the row. */
function triangle(length: number, behind: 0 | 1): tf.Tensor2D {
  const values = new Float32Array(length * length);
  for (let i = 0; i < length; i++) for (let j = 0; j + behind <= i; j++) values[i * length + j] = 1;
  return tf.tensor2d(values, [length, length]);
}

/** Ends of entities, [batch, length]; start of the last entity up to each token, [batch, length]; types of the tags [batch, length, types]. */
function chunks(tags: tf.Tensor3D, mask: tf.Tensor2D, before: tf.Tensor3D, { types, typeOf, begins, ends }: Borders) {
  const [, length, width] = tags.shape;
  // Tokens without a neighbour are at an end of the sentence, which has a column of its own.
  const withEnd = (neighbour: tf.Tensor): tf.Tensor =>
    tf.concat([neighbour, tf.sub(1, tf.sum(neighbour, -1, true))], -1);
  const known = tf.mul<tf.Tensor3D>(tags, tf.expandDims(mask, -1));
  const previous = withEnd(tf.matMul(before, known));
  const next = withEnd(tf.matMul(before, known, true));
  const begun = tf.sum(tf.mul(rows(previous, begins, width), known), -1);
  const ended = tf.sum(tf.mul(rows(known, ends, width + 1), next), -1);
  const places = tf.mul(begun, tf.range(1, length + 1));
  const from = tf.max(tf.mul(tf.expandDims(places, 1), triangle(length, 0)), -1);
  const typed = table(typeOf.slice(0, width).map((own) => types.map((_, type) => (own === type ? 1 : 0))));
  return { from, ends: ended, types: product(known, typed) };
}

/** Rows [batch, length, n] times a table of [n, width] or more. */
function rows(values: tf.Tensor, of: readonly (readonly boolean[])[], width: number): tf.Tensor {
  const n = values.shape.at(-1)!;
  return product(values, table(of.slice(0, n).map((row) => row.slice(0, width).map(Number))));
}

function table(values: readonly (readonly number[])[]): tf.Tensor2D {
  return tf.tensor2d(values.flat(), [values.length, values[0]!.length]);
}

function product(values: tf.Tensor, by: tf.Tensor2D): tf.Tensor {
  const [batch, length, n] = values.shape as [number, number, number];
  return tf.reshape(tf.matMul(tf.reshape<tf.Rank.R2>(values, [batch * length, n]), by), [batch, length, by.shape[1]]);
}
