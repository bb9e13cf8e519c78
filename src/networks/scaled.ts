import * as tf from '@tensorflow/tfjs-core';
import type { ModelNetwork } from './network.ts';

/**
 * The network with its answers times `std` plus `mean`, number by number: it learns numbers of the size that weights are drawn
 * for, and answers in the units that its labels have. In files of few bits these two ops stay float32: one scale of 8 bits for numbers of
 * several units, or for one that is far from zero, would leave nothing of them.
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
