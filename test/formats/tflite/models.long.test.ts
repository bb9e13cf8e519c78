import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { useCpu } from '../../support/cpu.ts';
import { calibrated } from './calibrate.ts';
import { inferenceGraph, smallOfAll, trainedModel, withLogits } from './models.ts';
import { expectClose, operators, randomFeeds, run } from './support.ts';

beforeAll(useCpu);

it('has a small instance of every model here', () => {
  expect(Object.keys(smallOfAll).sort()).toEqual([...withLogits].sort());
});

describe.each(Object.keys(smallOfAll))('%s', (name) => {
  let net: LayersModel;
  let prepared: Graph;
  beforeAll(() => {
    net = trainedModel(name, smallOfAll[name]!);
    prepared = inferenceGraph(net, true);
  });
  const predict = (x: Float32Array | Int32Array, batch = 1): Float32Array => {
    const input = tf.tensor(x, [batch, ...smallOfAll[name]!.inputShape], net.inputs[0]!.dtype);
    return (net.apply(input, { training: false }) as tf.Tensor).dataSync<'float32'>();
  };

  it('gives in LiteRT what tfjs gives, traced bare or prepared, with equally few operators', async () => {
    const lists: string[][] = [];
    // Without the passes the text transformer's gelu is an erf, for which there is no operator, text-cnn's filter is reshaped, the
    // factors of bc-resnet's bands are computed, and the weights of the gru's gates are scaled.
    for (const graph of ['text-transformer', 'text-cnn', 'bc-resnet', 'gru'].includes(name)
      ? [prepared]
      : [prepared, inferenceGraph(net, false)]) {
      const { bytes } = exportTflite(graph);
      const { x } = randomFeeds(graph, 5);
      expectClose((await run(bytes, { x: x! })).logits!, predict(x as Float32Array), 2e-5);
      lists.push(operators(bytes));
    }
    const [short, bare = short] = lists as [string[], string[]?];
    for (const [op, count] of Object.entries(smallOfAll[name]!.counts ?? {})) {
      expect([op, short.filter((one) => one === op).length]).toEqual([op, count]);
    }
    // What is left to the passes: two batch norms (scale and offset) behind poolings in cnn.
    const more: Readonly<Record<string, number>> = { cnn: 4 };
    expect(bare.length).toBeLessThanOrEqual(short.length + (more[name] ?? 0));
  });

  it('takes any batch', async () => {
    const { bytes } = exportTflite(prepared, { batch: 'dynamic' });
    const { x } = randomFeeds(prepared, 6, 3);
    expectClose((await run(bytes, { x: x! })).logits!, predict(x as Float32Array, 3), 2e-5);
  });

  it('keeps its answers in float16 and in integers', async () => {
    const samples = [0, 1].map((i) => randomFeeds(prepared, i));
    const half = exportTflite(prepared, { precision: 'float16' }).bytes;
    // Untrained deep nets lose much in 8 bits; in 16 what is left is the error of the 8-bit weights, which grows from block to block:
    // points-small, the deepest, differs most, by 0.150 of the largest answer, others by at most 0.13.
    const dtype = SHALLOW.includes(name) ? 'int8' : 'int16';
    const quantization = calibrated(prepared, samples, dtype);
    const { bytes: integer } = exportTflite(prepared, { precision: 'integer', quantization });
    for (const { x } of samples) {
      const expected = predict(x as Float32Array);
      expectClose((await run(half, { x: x! })).logits!, expected, 2e-2);
      expectClose((await run(integer, { x: x! })).logits!, expected, 0.2);
    }
  });
});

const SHALLOW = ['mlp', 'lenet', 'ds-cnn', 'resnet'];
