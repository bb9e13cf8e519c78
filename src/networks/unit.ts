import type * as tf from '@tensorflow/tfjs-core';
import { unitRows } from '../trace/ops/unit-rows.ts';
import type { ModelNetwork } from './network.ts';

/** The network with each row of its first output divided by its length. In quantized files this stays float32: it has no weights. */
export function unitNetwork(network: ModelNetwork): ModelNetwork {
  const { graph } = network;
  return {
    ...network,
    forward: (inputs, options) => {
      const { outputs, layers } = network.forward(inputs, options);
      return { layers, outputs: { ...outputs, logits: unitRows(outputs['logits'] as tf.Tensor2D) } };
    },
    definition: () => ({ network: network.definition(), unit: true }),
    withWeights: async (weights) => unitNetwork(await network.withWeights(weights)),
    ...(graph && {
      graph: { ...graph, replaced: (other, weights) => unitNetwork(graph.replaced(other, weights)) },
    }),
  };
}
