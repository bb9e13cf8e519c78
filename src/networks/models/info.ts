import { Variable, type Tensor } from '@tensorflow/tfjs-core';
import type { layers, LayersModel, LayerVariable, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { nearest, shown, UserError } from '../../base/errors.ts';

type Layer = layers.Layer;

export interface ModelVariable {
  /** `<layer>/<weight>`, such as `block1_depthwise_bn/moving_mean`: the same in every process, unique in the model. */
  readonly name: string;
  readonly variable: Variable;
  readonly trainable: boolean;
}

export interface ModelInfo {
  readonly parameters: number;
  readonly trainableParameters: number;
  readonly variables: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly trainable: boolean;
  }[];
  /** Layers with one output, in order, which feature hints can name. Shapes exclude the batch. */
  readonly outputs: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[];
}

/** The model's variables in layer order; their names do not depend on other models built in this process. */
export function modelVariables(model: LayersModel): ModelVariable[] {
  const found: ModelVariable[] = [];
  const names = new Set<string>();
  for (const layer of model.layers) {
    const trainable = new Set(layer.trainableWeights);
    for (const weight of layer.weights) {
      const name = unique(`${layer.name}/${shortName(layer, weight)}`, names);
      found.push({ name, variable: variableOf(weight), trainable: trainable.has(weight) });
    }
  }
  return found;
}

/** `read()` is typed as a tensor, and returns the variable itself. */
function variableOf(weight: LayerVariable): Variable {
  const value: Tensor = weight.read();
  if (value instanceof Variable) return value as Variable;
  throw new Error(`weight ${weight.name} is not backed by a variable`);
}

/** Name of a weight without its scope: tfjs-layers names it `<scope>/<weight>`, with a number if that name is taken in this process. */
function shortName(layer: Layer, weight: LayerVariable): string {
  const scope = `${layer.name}/`;
  if (weight.originalName.startsWith(scope)) return weight.originalName.slice(scope.length);
  // The layer was renamed, or wraps the layer with the weight.
  return weight.originalName.split('/').at(-1)!;
}

function unique(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}_${n}`;
  taken.add(candidate);
  return candidate;
}

export function modelInfo(model: LayersModel): ModelInfo {
  const variables = modelVariables(model);
  const count = (of: readonly ModelVariable[]): number => of.reduce((sum, { variable }) => sum + variable.size, 0);
  return {
    parameters: count(variables),
    trainableParameters: count(variables.filter(({ trainable }) => trainable)),
    variables: variables.map(({ name, variable, trainable }) => ({ name, shape: variable.shape, trainable })),
    outputs: model.layers.flatMap((layer) => {
      const output = layer.inboundNodes.length === 1 ? layer.output : undefined;
      return output === undefined || Array.isArray(output) ? [] : [{ name: layer.name, shape: output.shape.slice(1) }];
    }),
  };
}

/** Output of the layer `name`, for a model that also returns inner tensors. */
export function layerOutput(model: LayersModel, name: string): SymbolicTensor {
  const layer = model.layers.find((candidate) => candidate.name === name);
  if (layer === undefined || Array.isArray(layer.output)) throw unknownLayer(model, name);
  return layer.output;
}

function unknownLayer(model: LayersModel, name: string): UserError {
  const names = modelInfo(model).outputs.map((output) => output.name);
  const near = nearest(name, names);
  const hint = near === undefined ? `Its layers are ${names.join(', ')}.` : `Did you mean ${near}?`;
  return new UserError(`model ${model.name} has no layer ${shown(name)}`, hint);
}
