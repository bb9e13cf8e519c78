import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { readSafetensorsFile } from '../files/safetensors-file.ts';
import type { ModelNetwork } from '../networks/network.ts';

/** Weights of the first layers of MobileNet v2 at `alpha` 0.35, by their names in a model of the registry; bench/starting-weights has made them. */
const FILE = fileURLToPath(new URL('../networks/weights/mobilenet-v2-0.35.safetensors', import.meta.url));

/** First layer, which every model that can begin with the weights has. */
const FIRST = /^stem\//;

/**
 * The network, its first layers with Limbeck's starting weights in place of drawn ones, if it has the same layers in the same sizes. `UserError` if it has
 * not, and `isAsked`.
 */
export async function withStartingWeights(
  network: ModelNetwork,
  model: string,
  isAsked: boolean,
): Promise<ModelNetwork> {
  const { tensors } = await readSafetensorsFile(FILE);
  const own = Object.entries(network.state).flatMap(([name, variable]) => {
    const stored = tensors.get(name);
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
