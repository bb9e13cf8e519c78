import type { io } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { modelVariables } from '../models/info.ts';
import type { Weights } from '../network.ts';
import { resizableKinds } from './resizable.ts';

export interface LayerJson {
  class_name: string;
  config: Record<string, unknown> & { name: string };
}

/** A copy of `model` with these weights, and the channel counts that they have; `change`: edits a layer's configuration. */
export async function withWeights(
  model: LayersModel,
  weights: Weights,
  change: (layer: LayerJson) => void = () => undefined,
): Promise<LayersModel> {
  const topology = JSON.parse(model.toJSON() as string) as { config: { layers: LayerJson[] } | LayerJson[] };
  const layers = Array.isArray(topology.config) ? topology.config : topology.config.layers;
  for (const layer of layers) {
    change(layer);
    const { class_name: className, config } = layer;
    if (!Object.hasOwn(resizableKinds, className)) continue;
    const { key, weight, axis } = resizableKinds[className]!;
    const kernel = weights.get(`${config.name}/${weight}`);
    if (kernel === undefined) throw new Error(`${config.name} has no ${weight}`);
    config[key] = kernel.type.shape[axis];
  }
  const artifacts: io.ModelArtifacts = {
    modelTopology: topology,
  };
  const resized = await loadLayersModel({ load: () => Promise.resolve(artifacts) });
  assign(resized, weights);
  return resized;
}

function assign(model: LayersModel, weights: Weights): void {
  for (const { name, variable } of modelVariables(model)) {
    const value = weights.get(name);
    if (value === undefined || String(value.type.shape) !== String(variable.shape)) {
      const receivedShape = value === undefined ? 'nothing' : `[${value.type.shape.join(', ')}]`;
      throw new Error(`${name}: the resized layer holds [${variable.shape.join(', ')}], received ${receivedShape}`);
    }
    const content = tensor(value.data as Float32Array, variable.shape, variable.dtype as 'float32');
    variable.assign(content);
    content.dispose();
  }
}
