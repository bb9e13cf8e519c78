import * as tf from '@tensorflow/tfjs-core';
import { uniformFeed } from '../../trace/random.ts';

/** Masks of a spectrum in training: the maximum frames and bands of each; 0: none. */
export interface SpecAugment {
  readonly timeWidth: number;
  readonly frequencyWidth: number;
}

/** Masks over time, and masks over the bands. */
const MASKS = 2;

/**
 * x [batch, frames, bands] with random stretches of frames and of bands set to the mean of the sample (Park et al. 2019, "SpecAugment", section 2,
 * where the mean is zero): each of a random length up to the maximum, at a random position. The random numbers come from `uniformFeed`, so every
 * engine and every resume sees the same masks.
 */
export function specAugmented(x: tf.Tensor, { timeWidth, frequencyWidth }: SpecAugment): tf.Tensor {
  const [batch, frames, bands] = x.shape as [number, number, number];
  const masks = (width: number, mask: () => tf.Tensor) => Array.from({ length: width === 0 ? 0 : MASKS }, mask);
  const kept = [
    ...masks(timeWidth, () => tf.reshape(keptOf(batch, frames, timeWidth), [batch, frames, 1])),
    ...masks(frequencyWidth, () => tf.reshape(keptOf(batch, bands, frequencyWidth), [batch, 1, bands])),
  ].reduce((all, one) => tf.mul(all, one));
  const mean = tf.mean(x, [1, 2], true);
  return tf.add(mean, tf.mul(tf.sub(x, mean), kept));
}

/** [batch, size]: 0 in a stretch of up to `most` for each sample, else 1. */
function keptOf(batch: number, size: number, most: number): tf.Tensor {
  const below = (of: tf.Tensor | number): tf.Tensor => tf.floor(tf.mul(uniformFeed([batch, 1]), of));
  // float32 may round a number just below 1 times the limit up to the limit.
  const length = tf.minimum(below(most + 1), most);
  const free = tf.sub(size, length);
  const start = tf.minimum(below(tf.add(free, 1)), free);
  const places = tf.reshape(tf.range(0, size), [1, size]);
  const inside = tf.logicalAnd(tf.greaterEqual(places, start), tf.less(places, tf.add(start, length)));
  return tf.sub(1, tf.cast(inside, 'float32'));
}
