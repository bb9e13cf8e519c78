import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { initializers, input, layers, model as layersModel } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../../src/base/random.ts';
import { forInference } from '../../../src/graph/passes/inference/for-inference.ts';
import { freezeState } from '../../../src/graph/passes/constants/freeze-state.ts';
import type { Constant, Graph } from '../../../src/graph/types.ts';
import { buildModel, models } from '../../../src/networks/models/registry.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { traceWithBatch } from '../../../src/trace/batch.ts';
import { interpreterOn } from '../../../src/trace/interpret/evaluator.ts';
import { predictionProgram } from '../../../src/train/evaluate/inference.ts';

export interface ModelCase {
  readonly inputShape: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly classes?: number;
}

/** A registry model whose biases and statistics have left their first values, zeros and ones, as training would have it. */
export function trainedModel(name: string, { inputShape, options, classes = 3 }: ModelCase): LayersModel {
  const answersPer = models[name]!.answersPer?.[0];
  return moved(buildModel(name, { inputShape, classes, seed: 7, options, answersPer }), name);
}

/** A long short-term memory of tfjs-layers over four steps, which tracing unrolls. */
export function lstmModel(classes = 3): LayersModel {
  const drawn = (seed: number): ReturnType<typeof initializers.glorotUniform> => initializers.glorotUniform({ seed });
  const x = input({ shape: [4, 3] });
  const lstm = layers.lstm({ units: 5, kernelInitializer: drawn(1), recurrentInitializer: drawn(2) });
  const y = layers.dense({ units: classes, kernelInitializer: drawn(3) }).apply(lstm.apply(x)) as SymbolicTensor;
  return moved(layersModel({ inputs: x, outputs: y }), 'lstm');
}

function moved(model: LayersModel, name: string): LayersModel {
  const random = new RandomStream('models', name);
  for (const variable of Object.values(layersNetwork(model).state)) {
    if (variable.rank !== 1) continue;
    const moved = variable.dataSync<'float32'>().map((value) => value + 0.3 * random.uniform());
    variable.assign(tf.tensor1d(moved));
  }
  return model;
}

/** The inference graph of a model, from `x` to `logits`; `prepared` by the passes that every export makes use of, or bare. */
export function inferenceGraph(model: LayersModel, prepared: boolean): Graph {
  const content = new Map<string, Constant>();
  for (const [name, variable] of Object.entries(layersNetwork(model).state)) {
    content.set(name, { type: { dtype: 'float32', shape: variable.shape }, data: variable.dataSync<'float32'>() });
  }
  const traced = traceWithBatch((batchSize) => predictionProgram({ network: layersNetwork(model), batchSize }));
  const frozen = freezeState(traced, content);
  return prepared ? forInference(frozen, (graph) => interpreterOn('cpu').runSync(graph, new Map())) : frozen;
}

interface Expected extends ModelCase {
  /** How many of which operators, where the number is worth holding. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** Small instances of the models that answer for each pixel or find points; RESIZE_BILINEAR, which they have, is not simulated. */
export const enlarging: Record<string, Expected> = {
  'seg-lraspp': { inputShape: [32, 32, 3], options: { alpha: 0.1, filters: 8 } },
  unet: { inputShape: [8, 8, 1], options: { filters: 4, depth: 2 } },
  'points-nano': { inputShape: [32, 32, 3], options: { alpha: 0.1, filters: 8 }, classes: 2 * 2 * 64 },
  'points-small': { inputShape: [32, 48, 3], options: { alpha: 0.1, filters: 8 }, classes: 2 * 2 * 96 },
};

/** A small instance of every other model of the registry. */
export const small: Record<string, Expected> = {
  mlp: {
    inputShape: [6, 6, 1],
    options: { hidden: [24] },
    counts: { RESHAPE: 1, 'FULLY_CONNECTED+RELU': 1, FULLY_CONNECTED: 1 },
  },
  lenet: { inputShape: [12, 12, 1], options: {} },
  cnn: {
    inputShape: [12, 12, 1],
    options: { filters: [8, 16, 16] },
    counts: { 'CONV_2D+RELU': 3, MAX_POOL_2D: 2, DEPTHWISE_CONV_2D: 1, FULLY_CONNECTED: 1 },
  },
  'ds-cnn': { inputShape: [12, 12, 1], options: { width: 0.25 } },
  'bc-resnet': { inputShape: [9, 16, 1], options: { width: 0.5, bands: 2 } },
  resnet: {
    inputShape: [12, 12, 3],
    options: { depth: 8, width: 0.5 },
    counts: { 'CONV_2D+RELU': 4, CONV_2D: 6, 'ADD+RELU': 3, MEAN: 1, FULLY_CONNECTED: 1 },
  },
  'wide-resnet': { inputShape: [8, 8, 3], options: { depth: 10, width: 1 } },
  'mobilenet-v1': { inputShape: [8, 8, 3], options: { alpha: 0.25 } },
  'mobilenet-v2': { inputShape: [8, 8, 3], options: { alpha: 0.25 } },
  vgg: { inputShape: [8, 8, 1], options: { width: 0.1 } },
  'text-transformer': { inputShape: [6], options: { vocabulary: 20, size: 8, heads: 2 } },
  'embedding-bag': { inputShape: [6], options: { vocabulary: 20, size: 8, hidden: 4 } },
  'text-cnn': { inputShape: [6], options: { vocabulary: 20, size: 4, filters: 8, kernel: 3, depth: 2 } },
  gru: { inputShape: [4, 3], options: { units: 5 } },
  decoder: { inputShape: [6], options: { vocabulary: 20, size: 8, heads: 2, groups: 1, depth: 2 }, classes: 20 },
  'gru-lm': { inputShape: [6], options: { vocabulary: 20, size: 8, units: 5 }, classes: 20 },
  'cnn-1d': { inputShape: [9, 3], options: { width: 0.25, depth: 2, kernel: 3 } },
  tcn: { inputShape: [9, 3], options: { filters: 8, depth: 2, kernel: 3 } },
  'stream-ds-tcn': { inputShape: [15, 3], options: { filters: 8, depth: 2 } },
  'stream-mixer': { inputShape: [15, 3], options: { filters: 8, depth: 2, kernels: [2, 3] } },
};

/** The models of the registry with logits as their one output; test/run/detection.long.test.ts exports detectors. */
export const withLogits = Object.keys(models).filter((name) => models[name]!.answersPer?.[0] !== 'point');

/** A small instance of every model with logits. */
export const smallOfAll: Readonly<Record<string, Expected>> = { ...small, ...enlarging };
