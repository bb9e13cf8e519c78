import * as tf from '@tensorflow/tfjs-core';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { cleaned } from '../../src/graph/passes/cleaned.ts';
import { freezeState } from '../../src/graph/passes/freeze-state.ts';
import { layersNetwork } from '../../src/networks/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import type { ModelNetwork, Weights } from '../../src/networks/network.ts';
import { onnxNetwork } from '../../src/networks/onnx.ts';
import type { OnnxNetworkOptions } from '../../src/networks/onnx.ts';
import { evaluator } from '../../src/runtime/evaluator.ts';
import { traceWithBatch } from '../../src/trace/batch.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { predictionProgram } from '../../src/train/inference.ts';

beforeAll(() => useLazyBackend(evaluator));

const SHAPE = [8, 8, 2];
const CLASSES = 3;
const OPTIONS: OnnxNetworkOptions = {
  ...{ inputShape: SHAPE, classes: CLASSES, seed: 1, head: 'keep', freeze: [], batchNorm: 'train' },
};

function built(name: string, options: Record<string, unknown> = {}): ModelNetwork {
  return layersNetwork(buildModel(name, { inputShape: SHAPE, classes: CLASSES, seed: 5, options }));
}

function contentOf(network: ModelNetwork): Weights {
  return new Map(
    Object.entries(network.state).map(([name, variable], i) => {
      // No two weights are equal, and no batch norm is the identity, as in a model that has been trained.
      const data = Float32Array.from(variable.dataSync(), (value, j) => value + 0.1 + 0.05 * Math.sin(1 + i + 7 * j));
      return [name, { type: { dtype: 'float32', shape: variable.shape }, data }] as const;
    }),
  );
}

/** The model as a file, its batch norms as they are. */
function fileOf(network: ModelNetwork, weights: Weights): Uint8Array {
  const traced = traceWithBatch((batchSize) => predictionProgram({ network, batchSize }));
  return encodeModel(lowerToOnnx(cleaned(freezeState(traced, weights)), { opset: 17 }));
}

it('names', async () => {
  const given = built('ds-cnn');
  const weights = contentOf(given);
  const network = await given.withWeights(weights);
  const bytes = fileOf(network, weights);
  const model = decodeModel(bytes, 'm.onnx');
  console.log(model.graph.nodes.map((n) => n.op + ' ' + n.inputs + ' -> ' + n.outputs).join('\n'));
  console.log(model.graph.initializers.map((n) => n.name + n.dims).join('\n'));
  const read = onnxNetwork(model, 'm.onnx', OPTIONS);
  console.log(read.origin, Object.entries(read.state).map(([k, v]) => k + v.shape).join('\n'), Object.keys(read.layers));
  void tf;
});
