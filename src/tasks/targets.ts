import * as tf from '@tensorflow/tfjs-core';
import type { TensorType } from '../graph/types.ts';
import type { MixKind } from './task.ts';

/** Feeds with the mixture of a batch. */
export function mixFeeds(batchSize: number): Record<string, TensorType> {
  return {
    partners: { dtype: 'int32', shape: [batchSize] },
    lambda: { dtype: 'float32', shape: [batchSize] },
  };
}

/** λ · own target + (1 - λ) · the partner's, row by row. */
export function mixedTargets(own: tf.Tensor2D, feeds: Readonly<Record<string, tf.Tensor>>): tf.Tensor2D {
  const lambda = tf.expandDims(feeds['lambda']!, 1);
  const partners = tf.gather(own, feeds['partners'] as tf.Tensor1D);
  return tf.add(partners, tf.mul(tf.sub(own, partners), lambda));
}

export function asGiven(answers: tf.Tensor2D): tf.Tensor2D {
  return answers;
}

/** Feeds of numbers: [batch, width] float32. */
export function numberFeeds(batchSize: number, width: number, mix: MixKind): Record<string, TensorType> {
  return { targets: { dtype: 'float32', shape: [batchSize, width] }, ...(mix === 'partners' && mixFeeds(batchSize)) };
}
