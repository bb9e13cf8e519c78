import * as tf from '@tensorflow/tfjs-core';
import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { FakeQuantizedNetwork, HIGH, LOW } from '../../../src/compress/quantize/qat/network.ts';
import { evaluationProgram, predictionProgram } from '../../../src/train/evaluate/inference.ts';
import { trainingProgram } from '../../../src/train/step/step.ts';
import { scaleOfRange, perChannel, roomForBias } from '../../../src/compress/quantize/qat/fake-quantize.ts';
import { quantizationOfRange } from '../../../src/compress/quantize/qat/ranges.ts';
import { createLoss } from '../../support/losses.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { forInference } from '../../../src/graph/passes/inference/for-inference.ts';
import { freezeState } from '../../../src/graph/passes/constants/freeze-state.ts';
import { replaceConstants } from '../../../src/graph/passes/constants/replace-constants.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { withRoomForBias } from '../../../src/graph/quantization.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { createOnnxRuntimeEngine } from '../../../src/runtime/onnxruntime/engine.ts';
import type { State } from '../../../src/runtime/engine.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel, openerOf } from '../../../src/runtime/inference.ts';
import { openTflite } from '../../../src/runtime/litert.ts';
import { traceWithBatch } from '../../../src/trace/batch.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { createOptimizer } from '../../../src/train/optimizers/optimizers.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { numbers } from '../../support/graphs.ts';

const SESSION = { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
const SHAPE = [8, 8, 3];
const CLASSES = 4;
const COUNT = 32;

beforeAll(() => useLazyBackend(evaluator));

const SAMPLES = numbers(COUNT * 8 * 8 * 3, 'pictures');
const FEEDS = [{ input: { data: SAMPLES, shape: [COUNT, ...SHAPE] } }];
const LABELS = Int32Array.from({ length: COUNT }, (_, i) => i % CLASSES);

async function inferenceGraph(name: string, options: Record<string, number>): Promise<Graph> {
  const model = buildModel(name, { inputShape: SHAPE, classes: CLASSES, seed: 5, options });
  const { state: all } = layersNetwork(model);
  const weights = await Promise.all(
    Object.entries(all).map(async ([key, variable]) => {
      // Running means and variances that are not 0 and 1: there is something to fold.
      const data = (await variable.data()).slice() as Float32Array;
      const noise = numbers(data.length, key);
      const drawn = key.includes('moving_') ? data.map((value, i) => 0.8 * value + 0.02 * Math.abs(noise[i]!)) : data;
      return [key, { type: { dtype: 'float32' as const, shape: variable.shape }, data: drawn }] as const;
    }),
  );
  const traced = traceWithBatch((batchSize) => {
    const { feeds, state, run } = predictionProgram({ network: layersNetwork(model), batchSize });
    return { feeds: { input: feeds['x']! }, state, run: ({ input }) => run({ x: input! }) };
  });
  return forInference(freezeState(traced, new Map(weights)), (graph) => evaluator.runSync(graph, new Map()));
}

/** A few steps of training with quantization, and what they lead to. */
async function trained(graph: Graph, steps: number, moving = steps / 2) {
  const { result } = await quantize(graph, FEEDS, { calibrator: 'minmax', open: openerOf(SESSION) });
  const network = new FakeQuantizedNetwork(graph, result);
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'adamw' }, network.trainable);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const step = await engine.compile(
    trainingProgram({ task: classification(CLASSES), network, loss, optimizer, batchSize: COUNT }),
  );
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const { loss: value } = await step.run({
      x: SAMPLES,
      labels: LABELS,
      weights: new Float32Array(COUNT).fill(1),
      'hyper/labelSmoothing': Float32Array.of(0),
      'hyper/rangeRate': Float32Array.of(i < moving ? 0.1 : 0),
      ...optimizer.feedValues(i, 0.002),
    });
    losses.push(value![0] as number);
  }
  const evaluation = await engine.compile(
    evaluationProgram({ task: classification(CLASSES), network, batchSize: COUNT, logits: true }),
    {
      shareStateWith: step,
    },
  );
  const { logits } = await evaluation.run({ x: SAMPLES, labels: LABELS, weights: new Float32Array(COUNT).fill(1) });
  return { network, state: await step.state(), losses, logits: (logits as Float32Array).slice() };
}

/** What ships: the graph with its new weights, and ranges of what was not trained with from another calibration. */
async function exported(network: FakeQuantizedNetwork, state: State) {
  const { graph, activations } = network.exported(state);
  const { result } = await quantize(graph, FEEDS, { calibrator: 'minmax', open: openerOf(SESSION) });
  return { graph, quantization: new Map([...result, ...activations]) };
}

/** Share of the values of `a` that are within `step` of those of `b`. */
function share(a: Float32Array, b: Float32Array, step: number): number {
  return a.filter((value, i) => Math.abs(value - b[i]!) <= step).length / a.length;
}

describe.each([
  ['ds-cnn', { width: 0.25 }],
  ['resnet', { depth: 8, width: 0.5 }],
  ['mlp', {}],
])('training with quantization of %s', (name, options) => {
  it('learns, and gives what the int8 files give', async () => {
    const graph = await inferenceGraph(name, options);
    const { network, state, losses, logits } = await trained(graph, 12);
    expect(losses.at(-1)!).toBeLessThan(0.85 * losses[0]!);
    const { graph: after, quantization } = await exported(network, state);
    const model = new InferenceModel(encodeModel(exportQdq(after, quantization).result), 'int8.onnx', SESSION);
    const { logits: fromFile } = await model.run({ input: { data: SAMPLES, shape: [COUNT, ...SHAPE] } });
    model.dispose();
    const values = fromFile!.data as Float32Array;
    const spread = Math.max(...values) - Math.min(...values);
    expect(spread).toBeGreaterThan(0.5);
    expect(share(logits, values, spread / 255)).toBeGreaterThan(0.999);
    expect(share(logits, values, spread / 2550)).toBeGreaterThan(0.9);

    const tflite = await openTflite(exportTflite(after, { precision: 'integer', quantization, batch: COUNT }).bytes);
    const { logits: fromLite } = await tflite.run({ input: SAMPLES });
    tflite.dispose();
    // These logits are rounded to 8 bits as well.
    expect(share(logits, fromLite as Float32Array, (2 * spread) / 255)).toBeGreaterThan(0.97);
  });
});

it('ranges follow the batch until they are frozen, and stay to the bit from then on', async () => {
  const graph = await inferenceGraph('mlp', {});
  const ranges = async (steps: number, moving: number) => {
    const { state } = await trained(graph, steps, moving);
    return [LOW, HIGH].map((name) => state.get(name)!.data as Float32Array);
  };
  const [start, moved, frozen, after] = [
    await ranges(1, 0),
    await ranges(4, 4),
    await ranges(6, 4),
    await ranges(6, 6),
  ];
  expect(moved).not.toEqual(start);
  expect(frozen).toEqual(moved);
  expect(after).not.toEqual(moved);
  const [low, high] = moved as [Float32Array, Float32Array];
  expect(low.every((value) => value <= 0) && high.every((value) => value > 0)).toBe(true);
});

it('weights that are zero, as pruning leaves them, stay zero', async () => {
  const dense = await inferenceGraph('ds-cnn', { width: 0.25 });
  const content = [...dense.constants].map(([name, { type, data }]) => {
    const sparse = data instanceof Float32Array && type.shape.length > 1;
    return [name, sparse ? { type, data: data.map((value, i) => (i % 2 === 0 ? 0 : value)) } : { type, data }] as const;
  });
  const graph = replaceConstants(dense, new Map(content));
  const { network, state } = await trained(graph, 3);
  const after = network.exported(state).graph;
  const weights = Object.keys(network.trainable).filter((name) => graph.types.get(name)!.shape.length > 1);
  expect(weights.length).toBeGreaterThan(5);
  for (const name of weights) {
    const [before, now] = [graph, after].map(({ constants }) => constants.get(name)!.data as Float32Array);
    expect(now!.every((value, i) => (value === 0) === (before![i] === 0))).toBe(true);
    expect(now).not.toEqual(before);
  }
});

it('scale and zero point of a range are those of the training graph to the bit', () => {
  const low = Float32Array.from({ length: 500 }, (_, i) => -Math.abs(numbers(1, 'low', i)[0]! * (i % 7)));
  const high = Float32Array.from({ length: 500 }, (_, i) => Math.abs(numbers(1, 'high', i)[0]! * (1 + (i % 5))));
  // Steps of 1 and a zero point between two: the even one, as ONNX rounds.
  [low[0], high[0], low[1], high[1]] = [-100.5, 154.5, -101.5, 153.5];
  const { scale, zeroPoint } = scaleOfRange(tf.tensor1d(low), tf.tensor1d(high));
  const [scales, zeroPoints] = [scale.dataSync(), zeroPoint.dataSync()];
  expect([...zeroPoints.subarray(0, 2)]).toEqual([-28, -26]);
  low.forEach((value, i) => {
    expect(quantizationOfRange(value, high[i]!)).toEqual({
      dtype: 'int8',
      scales: [scales[i]],
      zeroPoints: [zeroPoints[i]],
    });
  });
});

describe('scores beside numbers that stand for minus infinity', () => {
  const COUNT_OF_SCORES = 6;
  const scores = numbers(COUNT * COUNT_OF_SCORES, 'scores');
  const shape = [COUNT, COUNT_OF_SCORES];

  /** A softmax of scores from a dense layer, with numbers added to them that `bias` makes of the graph. */
  function attention(bias: (builder: GraphBuilder) => string): Graph {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', COUNT_OF_SCORES] });
    const square = { dtype: 'float32', shape: [COUNT_OF_SCORES, COUNT_OF_SCORES] } as const;
    const weights = b.constant(square, numbers(COUNT_OF_SCORES ** 2, 'weights'), 'weights');
    const product = b.op('BatchMatMul', [x, weights], { transposeA: false, transposeB: false });
    // Between the product and the sum, which would be its bias.
    const given = b.op('LeakyRelu', [product], { alpha: 0.5 });
    b.output('shares', b.op('Softmax', [b.op('Add', [given, bias(b)], {}, 'masked')], { axis: 1 }));
    return b.build();
  }

  /** Shares that training computes and those of the file, and ranges before and after a batch; `other`: what differs in that. */
  async function sharesOf(graph: Graph, feeds: Record<string, Float32Array>, other: typeof feeds = {}) {
    const given = Object.fromEntries(Object.entries(feeds).map(([name, data]) => [name, { data, shape }]));
    const { result, masked } = await quantize(graph, [given], { calibrator: 'minmax', open: openerOf(SESSION) });
    const network = new FakeQuantizedNetwork(graph, result, { masked });
    const trained = Object.entries({ ...feeds, ...other });
    const tensors = Object.fromEntries(trained.map(([name, data]) => [name, tf.tensor(data, shape)]));
    const { outputs, low } = network.simulate(tensors);
    const state = Object.entries(network.state).map(([name, variable]) => {
      return [name, { type: { dtype: 'float32' as const, shape: variable.shape }, data: variable.dataSync() }] as const;
    });
    const before = network.state[LOW]!.dataSync();
    const { activations } = network.exported(new Map(state));
    const file = exportQdq(graph, new Map([...result, ...activations])).result;
    const model = new InferenceModel(encodeModel(file), 'int8.onnx', SESSION);
    const { shares } = await model.run(given);
    model.dispose();
    const simulated = outputs['shares']!.dataSync() as Float32Array;
    return { simulated, fromFile: shares!.data as Float32Array, before, after: low.dataSync() };
  }

  it('have the ranges that calibration found, which the mask of a batch does not widen', async () => {
    const graph = attention((b) => {
      const mask = b.input('mask', { dtype: 'float32', shape: ['batch', COUNT_OF_SCORES] });
      const one = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(1));
      const away = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(-1e9));
      return b.op('Multiply', [b.op('Sub', [one, mask]), away]);
    });
    const mask = Float32Array.from({ length: COUNT * COUNT_OF_SCORES }, (_, i) => (i % COUNT_OF_SCORES < 4 ? 1 : 0));
    const { simulated, fromFile, before, after } = await sharesOf(graph, { x: scores, mask });
    expect(Math.min(...before)).toBeGreaterThan(-100);
    // That of the mask, in which a masked score is lost beside the others.
    expect(Math.min(...after)).toBe(Math.min(...before));
    expect(share(simulated, fromFile, 1.01 / 256)).toBe(1);
    expect(simulated.every((value, i) => (mask[i] === 0 ? value < 1 / 256 : true))).toBe(true);
  });

  it('are no part of a range where calibration saw no mask', async () => {
    const graph = attention((b) => b.input('mask', { dtype: 'float32', shape: ['batch', COUNT_OF_SCORES] }));
    const whole = new Float32Array(COUNT * COUNT_OF_SCORES);
    const { after } = await sharesOf(graph, { x: scores, mask: whole }, { mask: whole.map((_, i) => (i % 2) * -1e9) });
    expect(Math.min(...after)).toBeGreaterThan(-100);
  });

  it('are rounded as in the file where what is added is stored', async () => {
    const stored = Float32Array.of(0.7, -1e9, -0.9, 0.4, -1e9, 0);
    const graph = attention((b) => b.constant({ dtype: 'float32', shape: [COUNT_OF_SCORES] }, stored, 'stored'));
    const { simulated, fromFile } = await sharesOf(graph, { x: scores });
    expect(share(simulated, fromFile, 1.01 / 256)).toBe(1);
  });
});

it('a depthwise filter has its scales once for each output of a channel', () => {
  expect([...perChannel(tf.tensor([1, 2], [1, 1, 2, 1]), 4).dataSync()]).toEqual([1, 1, 2, 2]);
  expect([...perChannel(tf.tensor([1, 2], [1, 2]), 2).dataSync()]).toEqual([1, 2]);
});

it.each([
  ['one scale for each output', [1, 1, 2, 4], [1, 1, 1, 4]],
  ['one for several outputs of a channel', [1, 1, 2, 2], [1, 1, 2, 1]],
  ['one for all', [2, 4], [1, 1]],
])('weights make room for their bias in training as in the file: %s', (_, shape, scales) => {
  const bias = Float32Array.of(3, -2e-7, 0, -900);
  const own = numbers(
    scales.reduce((a, b) => a * b, 1),
    'scales',
  ).map((value) => Math.abs(value) * 1e-9);
  const inputScale = 2 ** -5;
  const made = roomForBias(tf.tensor(own, scales), tf.tensor1d(bias), tf.tensor1d([inputScale]));
  const each =
    shape.length === 2 ? [...own] : Array.from({ length: 4 }, (_, i) => own[Math.floor((i * own.length) / 4)]!);
  const weights = { dtype: 'int8', scales: each, zeroPoints: each.map(() => 0), axis: 0 } as const;
  const expected = withRoomForBias(weights, bias, inputScale).scales;
  expect([...made.dataSync()].map((value, i) => value / expected[i]!)).toEqual(
    expected.map((): unknown => expect.closeTo(1, 6)),
  );
});
