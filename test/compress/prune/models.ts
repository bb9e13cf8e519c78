import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { State } from '../../../src/runtime/engine.ts';
import type { LayersNetwork } from '../../../src/networks/layers/layers.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { modelVariables } from '../../../src/networks/models/info.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { RandomStream } from '../../../src/base/random.ts';

/** A small instance of every family whose channels can be pruned. */
export const SMALL: Readonly<Record<string, { inputShape: number[]; options: Record<string, unknown> }>> = {
  mlp: { inputShape: [5], options: { hidden: [32, 24] } },
  lenet: { inputShape: [8, 8, 1], options: { filters: 12 } },
  cnn: { inputShape: [8, 8, 1], options: { filters: [8, 16, 16] } },
  'ds-cnn': { inputShape: [8, 8, 1], options: { width: 0.5 } },
  resnet: { inputShape: [8, 8, 1], options: { depth: 8 } },
  'wide-resnet': { inputShape: [8, 8, 1], options: { depth: 10, width: 1 } },
  'mobilenet-v1': { inputShape: [8, 8, 1], options: { alpha: 0.25 } },
  'mobilenet-v2': { inputShape: [8, 8, 1], options: { alpha: 0.25 } },
  vgg: { inputShape: [8, 8, 1], options: { width: 0.25 } },
};

export function small(name: string, seed = 7): LayersModel {
  const { inputShape, options } = SMALL[name]!;
  return buildModel(name, { inputShape, classes: 3, seed, options });
}

/** Weights unlike those of a fresh model in every place: biases, batch-norm statistics and scales are not 0 and 1. */
export function randomWeights(model: LayersModel, seed = 1): State {
  return new Map(
    modelVariables(model).map(({ name, variable }) => {
      const random = new RandomStream(seed, 'test', name);
      const isVariance = name.endsWith('moving_variance');
      const data = Float32Array.from({ length: variable.size }, () =>
        isVariance ? 0.5 + random.uniform() : 0.3 * random.normal(),
      );
      return [name, { type: { dtype: 'float32', shape: variable.shape }, data }] as const;
    }),
  );
}

/** The tfjs-layers model that a pruned network is. */
export function modelOf(network: ModelNetwork): LayersModel {
  return (network as LayersNetwork).model;
}
