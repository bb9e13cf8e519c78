import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { batchNormTrain } from '../ops/batch-norm.ts';
import type { LayerLike } from './types.ts';
import { single } from './types.ts';

/** Handles training with channels last; everything else is left to tfjs. */
export function callBatchNormalization(
  layer: LayerLike,
  inputs: unknown,
  options: Readonly<Record<string, unknown>>,
): tf.Tensor | undefined {
  const x = single(inputs);
  // As in Keras: a layer that is not trainable keeps its statistics.
  if (options.training === true && layer.trainable === false)
    return single(layer.call!(inputs, { ...options, training: false }));
  if (options.training !== true || (layer.axis !== -1 && layer.axis !== x.rank - 1)) return undefined;
  return tf.tidy(() => {
    const channels = x.shape.at(-1)!;
    const scale = layer.gamma?.read() ?? tf.ones([channels]);
    const offset = layer.beta?.read() ?? tf.zeros([channels]);
    const { y, mean, variance } = batchNormTrain(x, scale, offset, layer.epsilon);
    move(layer.movingMean, mean, layer.momentum);
    move(layer.movingVariance, variance, layer.momentum);
    return y;
  });
}

/** Updates a moving average as tfjs does: moving ← moving - (moving - value) · (1 - momentum), with the biased variance. */
function move(variable: LayerVariable, value: tf.Tensor, momentum: number): void {
  tf.tidy(() => {
    const before = variable.read();
    variable.write(tf.sub(before, tf.mul(tf.sub(before, value), 1 - momentum)));
  });
}
