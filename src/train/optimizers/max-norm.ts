import * as tf from '@tensorflow/tfjs-core';
import type { Kernel, ModelNetwork, Network } from '../../networks/network.ts';

/** Axis of a weight with its units, by state name: the other axes hold a unit's incoming weights. */
export type Units = ReadonlyMap<string, number>;

/** Axis of the units of each kernel: its output channels, which are the last axis except in transposed convolutions. */
export function unitsOf(kernels: readonly Kernel[]): Units {
  return new Map(
    kernels.map(({ name, shape, inputs }) => [name, inputs === shape.length - 1 ? inputs - 1 : shape.length - 1]),
  );
}

/** Weights that `maxNorm` limits; empty if it is not set. */
export function limitedUnits(network: Network, { maxNorm }: { readonly maxNorm?: number | undefined }): Units {
  if (maxNorm === undefined) return new Map();
  if (!('kernels' in network)) throw new Error(`${network.name} does not say what comes into a unit`);
  return unitsOf((network as Network & Pick<ModelNetwork, 'kernels'>).kernels().result);
}

/**
 * Limits the norm of each unit's incoming weights (Hinton et al. 2012, "Improving neural networks by preventing co-adaptation of feature detectors",
 * section on MNIST; Srivastava et al. 2014, "Dropout", section 5.1): after an update, longer vectors are scaled back to `maxNorm`. The units of
 * `weight` lie along axis `units`. The norms need sums over the whole weight, so its update takes a second pass over memory; if the units are not the
 * last axis, or their number is no multiple of four, the update is not fused.
 */
export function withinNorm(weight: tf.Tensor, units: number, maxNorm: number): tf.Tensor {
  const inputs = weight.shape.map((_, axis) => axis).filter((axis) => axis !== units);
  const norms = tf.sqrt(tf.sum(tf.square(weight), inputs, true));
  return tf.mul(weight, tf.minimum(1, tf.div(maxNorm, tf.maximum(norms, 1e-12))));
}
