import * as tf from '@tensorflow/tfjs-core';

/** KL(p ‖ q) of each row from log-probabilities, [rows]. Finite for any finite logarithm: terms whose p underflows are 0. */
export function divergence(logP: tf.Tensor, logQ: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.mul(tf.exp(logP), tf.sub(logP, logQ)), -1);
}
