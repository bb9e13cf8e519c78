import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import type { Constant } from '../graph/types.ts';
import type { ModelNetwork } from './network.ts';

/** First layer, which every model that can begin with the weights has. */
const FIRST = /^stem\//;

interface Stored {
  readonly shape: readonly number[];
  readonly data: Constant['data'];
}

/**
 * The network of a model of the registry, its first layers with stored weights of the same names in place of drawn ones, if all of them have the same shapes.
 * `UserError` if they have not, and `isAsked`.
 */
export function withStartingWeights(
  network: ModelNetwork,
  weights: ReadonlyMap<string, Stored>,
  { model, isAsked }: { readonly model: string; readonly isAsked: boolean },
): ModelNetwork {
  const own = Object.entries(network.state).flatMap(([name, variable]) => {
    const stored = weights.get(name);
    return stored === undefined ? [] : [{ name, variable, stored }];
  });
  const other = own.find(({ variable, stored }) => variable.shape.join() !== stored.shape.join());
  if (other !== undefined || !own.some(({ name }) => FIRST.test(name))) {
    if (!isAsked) return network;
    const differing =
      other === undefined
        ? ''
        : `; ${other.name} of the weights is [${other.stored.shape.join(', ')}], that of the model [${other.variable.shape.join(', ')}]`;
    throw new UserError(
      `model ${model}, weights: own: expected pictures in colour and \`alpha: 0.35\`, which the starting weights are of${differing}`,
      'Set `alpha: 0.35`, or leave out weights.',
    );
  }
  for (const { variable, stored } of own) variable.assign(tf.tensor(stored.data as Float32Array, [...stored.shape]));
  const begun = `model ${model} begins with starting weights of Limbeck in ${own.length} tensors of its first layers (MobileNet v2 0.35, distilled without labels); \`weights: none\` begins with drawn ones`;
  return { ...network, origin: [...(network.origin ?? []), begun] };
}
