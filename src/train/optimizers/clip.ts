import * as tf from '@tensorflow/tfjs-core';

/**
 * Scales all gradients by min(1, norm / global norm), with the global norm over all gradients together (Pascanu et al. 2013, "On the difficulty of
 * training recurrent neural networks").
 */
export function clipByGlobalNorm(
  gradients: Readonly<Record<string, tf.Tensor>>,
  norm: tf.Tensor,
): Record<string, tf.Tensor> {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const total = tf.sqrt(tf.addN(squares));
  const scale = tf.minimum(1, tf.div(norm, tf.maximum(total, 1e-12)));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, scale)]));
}
