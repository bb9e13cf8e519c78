import * as tf from '@tensorflow/tfjs-core';
import type { Kernel, ModelNetwork, Network } from '../../networks/network.ts';

/** Axis of the units of a weight, by its state name: its other axes are what comes into a unit. */
export type Units = ReadonlyMap<string, number>;

/** The axis that has one place for each unit: that of the output channels, the last but for transposed convolutions. */
export function unitsOf(kernels: readonly Kernel[]): Units {
  return new Map(
    kernels.map(({ name, shape, inputs }) => [name, inputs === shape.length - 1 ? inputs - 1 : shape.length - 1]),
  );
}

/** The weights that `maxNorm` limits; none without it. */
export function limitedUnits(network: Network, { maxNorm }: { readonly maxNorm?: number | undefined }): Units {
  if (maxNorm === undefined) return new Map();
  if (!('kernels' in network)) throw new Error(`${network.name} does not say what comes into a unit`);
  return unitsOf((network as Network & Pick<ModelNetwork, 'kernels'>).kernels().result);
}

/**
 * Limit on the norm of what comes into a unit (Hinton et al. 2012, "Improving neural networks by preventing co-adaptation of feature
 * detectors", section on MNIST; Srivastava et al. 2014, "Dropout", section 5.1): weights that an update has made longer than `maxNorm` are
 * scaled back to it. `weight` has one unit at each place of axis `units`. The norms follow from sums over the whole weight, so the update
 * of it takes a second pass over memory; where the units are not its last axis, or no multiple of four, it is computed node by node.
 */
export function withinNorm(weight: tf.Tensor, units: number, maxNorm: number): tf.Tensor {
  const inputs = weight.shape.map((_, axis) => axis).filter((axis) => axis !== units);
  const norms = tf.sqrt(tf.sum(tf.square(weight), inputs, true));
  return tf.mul(weight, tf.minimum(1, tf.div(maxNorm, tf.maximum(norms, 1e-12))));
}
