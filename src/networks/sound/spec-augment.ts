import * as tf from '@tensorflow/tfjs-core';
import { uniformFeed } from '../../trace/random.ts';

/** Masks of a spectrum in training: their number, and the maximum frames or bands of each. */
export interface SpecAugment {
  readonly timeMasks: number;
  readonly timeWidth: number;
  readonly frequencyMasks: number;
  readonly frequencyWidth: number;
}

/**
 * x [batch, frames, bands] with random stretches of frames and of bands set to the mean of the sample (Park et al. 2019, "SpecAugment", section 2,
 * where the mean is zero): each of a random length up to the maximum, at a random position. The random numbers come from `uniformFeed`, so every
 * engine and every resume sees the same masks.
 */
export function specAugmented(x: tf.Tensor, masks: SpecAugment): tf.Tensor {
  const [batch, frames, bands] = x.shape as [number, number, number];
  const kept = [
    ...Array.from({ length: masks.timeMasks }, () =>
      tf.reshape(keptOf(batch, frames, masks.timeWidth), [batch, frames, 1]),
    ),
    ...Array.from({ length: masks.frequencyMasks }, () =>
      tf.reshape(keptOf(batch, bands, masks.frequencyWidth), [batch, 1, bands]),
    ),
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
