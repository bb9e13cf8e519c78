import * as tf from '@tensorflow/tfjs-core';
import type { ModelNetwork } from './network.ts';

/** The network behind `input · scale + offset`, channel by channel, which gives raw samples the normalization that the network expects. */
export function preparedNetwork(
  network: ModelNetwork,
  preparation: { readonly scale: readonly number[]; readonly offset: readonly number[] },
): ModelNetwork {
  const { scale, offset } = preparation;
  const [input] = Object.keys(network.inputs) as [string];
  return {
    ...network,
    forward: (inputs, options) => {
      const scaled = tf.add(tf.mul(inputs[input]!, tf.tensor1d([...scale])), tf.tensor1d([...offset]));
      return network.forward({ [input]: scaled }, options);
    },
    definition: () => ({ network: network.definition(), scale, offset }),
    withWeights: async (weights) => preparedNetwork(await network.withWeights(weights), preparation),
  };
}
