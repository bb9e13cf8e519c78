import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { model as layersModel } from '@tensorflow/tfjs-layers';
import type { TensorType } from '../../graph/types.ts';
import { layerOutput, modelInfo, modelVariables } from '../models/info.ts';
import type { ModelNetwork, Tensors, Variables } from '../network.ts';
import { fixedLayers, kernelsOf } from './resizable.ts';
import { withWeights } from './resize.ts';

/** A network from a tfjs-layers model of the registry, a module, or a file. */
export interface LayersNetwork extends ModelNetwork {
  readonly model: LayersModel;
}

/** Names of a model's single input and output: tfjs' numbered names differ between processes. */
const INPUT = 'input';
const LOGITS = 'logits';

export function layersNetwork(model: LayersModel): LayersNetwork {
  const variables = modelVariables(model);
  const named = (of: typeof variables): Variables =>
    Object.fromEntries(of.map(({ name, variable }) => [name, variable]));
  const inputNames = model.inputs.length === 1 ? [INPUT] : model.inputNames;
  const outputNames = model.outputs.length === 1 ? [LOGITS] : model.outputNames;
  const ends = new Set([...model.inputLayers, ...model.outputLayers].map(({ name }) => name));
  const layers = modelInfo(model).outputs.filter(({ name }) => !ends.has(name));
  const wide = new Map<string, LayersModel>();
  const withLayers = (names: readonly string[]): LayersModel => {
    if (names.length === 0) return model;
    const key = JSON.stringify(names);
    const outputs: SymbolicTensor[] = [...model.outputs, ...names.map((name) => layerOutput(model, name))];
    const found = wide.get(key) ?? layersModel({ inputs: model.inputs, outputs });
    wide.set(key, found);
    return found;
  };
  const network: LayersNetwork = {
    name: model.name,
    model,
    // Samples are float32 in storage, feeds and exports. A model of token ids casts them in its first step: ids are exact up to 2^24, and each
    // exported file takes the same input type as a file of any other model.
    inputs: Object.fromEntries(inputNames.map((name, i) => [name, batched(model.inputs[i]!.shape)])),
    outputs: Object.fromEntries(outputNames.map((name, i) => [name, batched(model.outputs[i]!.shape)])),
    state: named(variables),
    trainable: named(variables.filter(({ trainable }) => trainable)),
    layers: Object.fromEntries(layers.map(({ name, shape }) => [name, batched([null, ...shape])])),
    hyper: [],
    vocabulary: vocabularyOf(model),
    forward: (inputs, { training, layers: names = [] }) => {
      const inputTensors = inputNames.map((name, i) => asInput(inputs[name]!, model.inputs[i]!));
      const results = [
        withLayers(names).apply(inputTensors.length === 1 ? inputTensors[0]! : inputTensors, { training }),
      ].flat();
      const take = (from: number, keys: readonly string[]): Tensors =>
        Object.fromEntries(keys.map((key, i) => [key, results[from + i] as tf.Tensor]));
      return { outputs: take(0, outputNames), layers: take(outputNames.length, names) };
    },
    penalties: () => model.calculateLosses(),
    definition: () => model.getConfig(),
    withWeights: async (weights) => layersNetwork(await withWeights(model, weights)),
    kernels: () => kernelsOf(model),
    rigid: () => fixedLayers(model),
    dispose: () => void model.dispose(),
  };
  return network;
}

function vocabularyOf(model: LayersModel): number | undefined {
  const sizes = model.layers
    .filter((layer) => layer.getClassName() === 'Embedding' && layer.input === model.inputs[0])
    .map((layer) => Number(layer.getConfig()['inputDim']));
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}

/** Type with an open batch. A model may leave other sizes to the data; models built from code do not. */
function batched(shape: readonly (number | null)[]): TensorType {
  return { dtype: 'float32', shape: ['batch', ...shape.slice(1).map(Number)] };
}

function asInput(x: tf.Tensor, { dtype }: SymbolicTensor): tf.Tensor {
  return dtype === x.dtype ? x : tf.cast(x, dtype);
}
