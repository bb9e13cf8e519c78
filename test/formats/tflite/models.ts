import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../../src/base/random.ts';
import { forInference } from '../../../src/graph/passes/for-inference.ts';
import { freezeState } from '../../../src/graph/passes/freeze-state.ts';
import type { Constant, Graph } from '../../../src/graph/types.ts';
import { buildModel } from '../../../src/models/registry.ts';
import { traceWithBatch } from '../../../src/trace/batch.ts';
import { interpreterOn } from '../../../src/trace/interpret/evaluator.ts';
import { modelState, predictionProgram } from '../../../src/train/step.ts';

export interface ModelCase {
  readonly inputShape: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly classes?: number;
}

/** A registry model whose biases and statistics have left their first values, zeros and ones, as training would have it. */
export function trainedModel(name: string, { inputShape, options, classes = 3 }: ModelCase): LayersModel {
  const model = buildModel(name, { inputShape, classes, seed: 7, options });
  const random = new RandomStream('models', name);
  for (const variable of Object.values(modelState(model).all)) {
    if (variable.rank !== 1) continue;
    const moved = variable.dataSync<'float32'>().map((value) => value + 0.3 * random.uniform());
    variable.assign(tf.tensor1d(moved));
  }
  return model;
}

/** The inference graph of a model, from `x` to `logits`; `prepared` by the passes that every export makes use of, or bare. */
export function inferenceGraph(model: LayersModel, prepared: boolean): Graph {
  const content = new Map<string, Constant>();
  for (const [name, variable] of Object.entries(modelState(model).all)) {
    content.set(name, { type: { dtype: 'float32', shape: variable.shape }, data: variable.dataSync<'float32'>() });
  }
  const traced = traceWithBatch((batchSize) => predictionProgram({ model, batchSize }));
  const frozen = freezeState(traced, content);
  return prepared ? forInference(frozen, (graph) => interpreterOn('cpu').runSync(graph, new Map())) : frozen;
}
