import * as tf from '@tensorflow/tfjs-core';
import { BACKEND_NAME } from '../backend.ts';

export interface BatchNormResult {
  readonly y: tf.Tensor;
  /** Per channel, over all other axes. */
  readonly mean: tf.Tensor;
  /** Biased (divided by the count). */
  readonly variance: tf.Tensor;
}

/**
 * Batch norm with the batch's own statistics over all axes but the last (Ioffe & Szegedy 2015, Algorithm 1). On the tracing backend one op forward
 * and one backward; elsewhere tf ops. Gradients flow only through `y`.
 */
export function batchNormTrain(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: number): BatchNormResult {
  if (tf.engine().backendName === BACKEND_NAME) {
    const outputs = tf.engine().runKernel('BatchNormTrain', { x, scale, offset }, { epsilon });
    const [y, mean, variance] = outputs as unknown as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { y, mean, variance };
  }
  const axes = Array.from({ length: x.rank - 1 }, (_, i) => i);
  const { mean, variance } = tf.moments(x, axes);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
  return { y: tf.add(tf.mul(normal, scale), offset), mean, variance };
}
