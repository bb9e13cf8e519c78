import * as tf from '@tensorflow/tfjs-core';
import type { ModelNetwork } from './network.ts';

/** Mean and deviation of each number of an output, by default the first. */
interface OutputScaling {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly field?: string;
}

/**
 * The network with an output times `std` plus `mean`, number by number: it learns numbers on the scale of its initial weights, and answers in the
 * labels' units. In quantized files these two ops stay float32: an 8-bit scale cannot represent numbers of different units, or numbers far from zero.
 */
export function scaledNetwork(network: ModelNetwork, scaling: OutputScaling): ModelNetwork {
  const { mean, std, field = 'logits' } = scaling;
  const { graph } = network;
  return {
    ...network,
    forward: (inputs, options) => {
      const { outputs, layers } = network.forward(inputs, options);
      const inUnits = tf.add(tf.mul(outputs[field]!, tf.tensor1d([...std])), tf.tensor1d([...mean]));
      return { layers, outputs: { ...outputs, [field]: inUnits } };
    },
    definition: () => ({ network: network.definition(), mean, std, ...(scaling.field !== undefined && { field }) }),
    withWeights: async (weights) => scaledNetwork(await network.withWeights(weights), scaling),
    ...(graph && {
      graph: { ...graph, replaced: (other, weights) => scaledNetwork(graph.replaced(other, weights), scaling) },
    }),
  };
}
