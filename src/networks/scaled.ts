import * as tf from '@tensorflow/tfjs-core';
import type { ModelNetwork } from './network.ts';

/**
 * The network with outputs times `std` plus `mean`, number by number: it learns numbers on the scale of its initial weights, and answers in the
 * labels' units. In quantized files these two ops stay float32: an 8-bit scale cannot represent numbers of different units, or numbers far from zero.
 */
export function scaledNetwork(
  network: ModelNetwork,
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] },
): ModelNetwork {
  return {
    ...network,
    forward: (inputs, options) => {
      const { outputs, layers } = network.forward(inputs, options);
      const logits = tf.add(tf.mul(outputs['logits']!, tf.tensor1d([...std])), tf.tensor1d([...mean]));
      return { layers, outputs: { ...outputs, logits } };
    },
    definition: () => ({ network: network.definition(), mean, std }),
    withWeights: async (weights) => scaledNetwork(await network.withWeights(weights), { mean, std }),
  };
}
