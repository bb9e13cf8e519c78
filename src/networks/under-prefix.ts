import type { Kernel, ModelNetwork, Network } from './network.ts';
import { prefixed } from './network.ts';

/** The network with prefixed state names, so that one training can hold it beside another. */
export function underPrefix(network: ModelNetwork, prefix: string): Network & Pick<ModelNetwork, 'kernels'> {
  const { state, trainable, rateOf, extremes = {} } = network;
  const kernels = (): ReturnType<ModelNetwork['kernels']> => {
    const { result, skipped } = network.kernels();
    return { result: result.map((kernel): Kernel => ({ ...kernel, name: prefix + kernel.name })), skipped };
  };
  return {
    ...network,
    state: prefixed(state, prefix),
    trainable: prefixed(trainable, prefix),
    rateOf: rateOf && ((name) => rateOf(name.slice(prefix.length))),
    extremes: Object.fromEntries(Object.entries(extremes).map(([name, end]) => [prefix + name, end])),
    kernels,
  };
}
