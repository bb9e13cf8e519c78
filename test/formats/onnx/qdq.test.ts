import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { quantize } from '../../../src/compress/quantize/ptq.ts';
import type { Feeds } from '../../../src/compress/quantize/observe.ts';
import { halveModel } from '../../../src/formats/onnx/rewrite/half.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { fileWeightScales } from '../../../src/formats/onnx/qdq/weights.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Quantization } from '../../../src/graph/quantization.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { InferenceModel, openerOf } from '../../../src/runtime/inference.ts';
import { openTflite } from '../../../src/runtime/litert.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { expectClose, numbers } from '../../support/graphs.ts';

const session = sessionOptions('cpu', { threads: 1 });
const SAME3 = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const POOL = { filterSize: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };

/** A residual network with a depthwise convolution, pooling, a mean and a dense layer. */
function network(): Graph {
  const b = new GraphBuilder();
  let count = 0;
  const weights = (shape: number[], scale = 0.3): string =>
    b.constant(
      { dtype: 'float32', shape },
      numbers(
        shape.reduce((x, y) => x * y, 1),
        'w',
        count++,
      ).map((value) => value * scale),
    );
  const conv = (x: string, op: string, filter: number[], channels: number): string =>
    b.op('Add', [b.op(op, [x, weights(filter)], SAME3), weights([channels])]);
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 8, 8, 3] });
  const a = b.op('Relu', [conv(x, 'Conv2D', [3, 3, 3, 8], 8)]);
  const d = b.op('Relu6', [conv(a, 'DepthwiseConv2dNative', [3, 3, 8, 1], 8)]);
  const wide = b.op('Relu', [conv(a, 'DepthwiseConv2dNative', [3, 3, 8, 2], 16)]);
  const sum = b.op('Relu', [b.op('Add', [a, conv(d, 'Conv2D', [3, 3, 8, 8], 8)])]);
  const both = b.op('Concat', [b.op('MaxPool', [sum], POOL), b.op('AvgPool', [wide], POOL)], { axis: 3 });
  const mean = b.op('Mean', [both], { axes: [1, 2], keepDims: false });
  const product = b.op('BatchMatMul', [mean, weights([24, 10], 1)], { transposeA: false, transposeB: false });
  b.output('logits', b.op('Add', [product, weights([10])]));
  return b.build();
}

const graph = network();
const samples: Feeds[] = [0, 1].map((i) => ({ x: { data: numbers(16 * 192, 'x', i), shape: [16, 8, 8, 3] } }));

async function run(bytes: Uint8Array, feeds = samples[0]!): Promise<Float32Array> {
  const model = new InferenceModel(bytes, 'test.onnx', session);
  const { logits } = await model.run(feeds);
  model.dispose();
  return (logits!.data as Float32Array).slice();
}

/** The operators that ONNX Runtime runs after its own rewriting. */
async function optimizedOps(bytes: Uint8Array): Promise<string[]> {
  const optimizedModelFilePath = path.join(await mkdtemp(path.join(tmpdir(), 'qdq-')), 'optimized.onnx');
  new InferenceModel(bytes, 'test.onnx', {
    ...session,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    optimizedModelFilePath,
  }).dispose();
  return decodeModel(new Uint8Array(await readFile(optimizedModelFilePath)), 'optimized').graph.nodes.map(
    ({ op }) => op,
  );
}

const float = encodeModel(lowerToOnnx(graph));
const rootMeanSquare = (values: Float32Array): number =>
  Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
const difference = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value - b[i]!);

describe('int8 ONNX', () => {
  it.each(['minmax', 'percentile', 'mse'] as const)('after %s answers nearly as float32', async (calibrator) => {
    const { result: quantization, skipped } = await quantize(graph, samples, { calibrator, open: openerOf(session) });
    expect(skipped).toEqual([]);
    const { result, skipped: left } = exportQdq(graph, quantization);
    expect(left).toEqual([]);
    const [actual, expected] = [await run(encodeModel(result)), await run(float)];
    expect(rootMeanSquare(difference(actual, expected))).toBeLessThan(0.08 * rootMeanSquare(expected));
    expect(actual).not.toEqual(expected);
  });

  it('stores every weight as int8, and of float32 no more than scales, biases and bounds', async () => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const { graph: written } = decodeModel(encodeModel(exportQdq(graph, quantization).result), 'x');
    const weights = written.initializers.filter(({ dims }) => dims.length > 1);
    expect(weights.map(({ dtype }) => dtype)).toEqual(Array(5).fill('int8'));
    const bytes = (dtype: string): number =>
      written.initializers.filter((t) => t.dtype === dtype).reduce((sum, { raw }) => sum + raw.length, 0);
    // 32 + 8 channels of convolutions, 24 of depthwise ones, 10 classes: a scale and a bias each; the rest are single numbers.
    expect(bytes('float32')).toBeLessThan(4 * 160);
    expect(bytes('int8')).toBeGreaterThan(1000);
  });

  it.each([17, 18])('is computed in integers from end to end by ONNX Runtime, operator set %s', async (opset) => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const ops = await optimizedOps(encodeModel(exportQdq(graph, quantization, { opset }).result));
    expect(ops).toContain('QLinearGlobalAveragePool');
    expect(ops).not.toContain('DequantizeLinear');
    expect(ops.filter((op) => op === 'QLinearConv')).toHaveLength(4);
    expect(ops.filter((op) => op === 'QLinearAdd')).toHaveLength(1);
    expect(ops).toContain('QGemm');
    expect(ops).not.toContain('Conv');
    expect(ops).not.toContain('Gemm');
    expect(ops).not.toContain('Add');
  });

  it('gives the first convolution channels in fours, which ONNX Runtime does not copy to read', async () => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const stem = (of: Quantization, options = {}): readonly number[] => {
      const { nodes, initializers } = exportQdq(graph, of, options).result.graph;
      const conv = nodes.find(({ op }) => op === 'Conv')!;
      const widening = nodes.find(({ outputs }) => outputs[0] === conv.inputs[1]);
      return initializers.find(({ name }) => name === (widening ?? conv).inputs[widening === undefined ? 1 : 0])!.dims;
    };
    expect(stem(quantization)).toEqual([32, 12, 3, 3]);
    // What is computed in float, or made for TensorRT, stays as it is.
    const first = graph.nodes.find(({ op }) => op === 'Add')!.outputs[0]!;
    expect(stem(quantization, { keepFloat: (layer: string) => layer === first })).toEqual([8, 3, 3, 3]);
    const options = { calibrator: 'minmax', open: openerOf(session), symmetric: true } as const;
    expect(stem((await quantize(graph, samples, options)).result)).toEqual([8, 3, 3, 3]);
    // Between the picture and the sum nothing is moved: the shapes alone change.
    const ops = await optimizedOps(encodeModel(exportQdq(graph, quantization).result));
    expect(ops.slice(0, 4)).toEqual(['QuantizeLinear', 'Reshape', 'QLinearConv', 'Reshape']);
  });

  it('with symmetric scales has int8 activations with the zero point 0 alone, as TensorRT wants them', async () => {
    const options = { calibrator: 'mse', open: openerOf(session), symmetric: true } as const;
    const { result: quantization } = await quantize(graph, samples, options);
    const { result } = exportQdq(graph, quantization);
    const points = new Set(
      result.graph.nodes.filter(({ op }) => op === 'QuantizeLinear').map(({ inputs }) => inputs[2]!),
    );
    const stored = result.graph.initializers.filter(({ name }) => points.has(name));
    expect(stored.map(({ dtype }) => dtype)).toEqual(['int8']);
    expect(stored[0]!.raw.every((byte) => byte === 0)).toBe(true);
    expect(result.graph.initializers.some(({ dtype }) => dtype === 'int32' || dtype === 'uint8')).toBe(false);
    const [actual, expected] = [await run(encodeModel(result)), await run(float)];
    expect(rootMeanSquare(difference(actual, expected))).toBeLessThan(0.1 * rootMeanSquare(expected));
  });

  it('leaves the layers in float that it is told to, weights and all, and says so', async () => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const kept = graph.nodes.find(({ op }) => op === 'BatchMatMul')!.outputs[0]!;
    const bias = graph.nodes.at(-1)!.outputs[0]!;
    const { result, skipped } = exportQdq(graph, quantization, { keepFloat: (layer) => [kept, bias].includes(layer) });
    expect(skipped).toEqual([{ what: bias, why: 'it is kept in float' }]);
    const gemm = result.graph.nodes.find(({ op }) => op === 'Gemm')!;
    expect(result.graph.initializers.find(({ name }) => name === gemm.inputs[1])!.dtype).toBe('float32');
  });

  it('pools a mean that keeps its axes, and no mean over other axes', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 4, 4, 8] });
    const conv = (from: string): string =>
      b.op('Conv2D', [from, b.constant({ dtype: 'float32', shape: [1, 1, 8, 8] }, numbers(64, 'w'))], {
        ...{ strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
      });
    const kept = b.op('Mean', [conv(x)], { axes: [1, 2], keepDims: true });
    b.output('y', conv(b.op('Mean', [conv(b.op('Multiply', [x, kept]))], { axes: [1], keepDims: true })));
    const made = b.build();
    const feeds = [{ x: { data: numbers(128, 'x'), shape: [1, 4, 4, 8] } }];
    const { result: quantization } = await quantize(made, feeds, { calibrator: 'minmax', open: openerOf(session) });
    const ops = exportQdq(made, quantization).result.graph.nodes.map(({ op }) => op);
    expect(ops.filter((op) => /Mean|Pool|Flatten/.test(op))).toEqual(['GlobalAveragePool', 'ReduceMean']);
  });

  it('leaves means that are the output of a model in float', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 4, 4, 8] });
    const weights = b.constant({ dtype: 'float32', shape: [1, 1, 8, 3] }, numbers(24, 'w'));
    const convolved = b.op('Conv2D', [x, weights], { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] });
    b.output('logits', b.op('Mean', [convolved], { axes: [1, 2], keepDims: false }));
    const made = b.build();
    const feeds = [{ x: { data: numbers(128, 'x'), shape: [1, 4, 4, 8] } }];
    const { result: quantization } = await quantize(made, feeds, { calibrator: 'minmax', open: openerOf(session) });
    const { nodes, outputs } = exportQdq(made, quantization).result.graph;
    const last = nodes.find((node) => node.outputs.includes(outputs[0]!.name))!;
    expect(last.op).toBe('ReduceMean');
  });

  it('gives the several outputs of a depthwise channel the scale of that channel', () => {
    const weights = tensor('w', 'float32', [4, 1, 1, 1], new Float32Array(4));
    const node = { op: 'Conv', domain: '', name: '', inputs: ['x', 'w'], outputs: ['y'], attrs: new Map() };
    const { scales, axis } = fileWeightScales(node, weights, {
      dtype: 'int8',
      scales: [1, 2],
      zeroPoints: [0, 0],
      axis: 2,
    });
    expect({ scales, axis }).toEqual({ scales: [1, 1, 2, 2], axis: 0 });
  });

  it('puts nothing between a layer and its activation', async () => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const { nodes } = exportQdq(graph, quantization).result.graph;
    const producer = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node.op] as const)));
    for (const { op, inputs } of nodes) {
      if (op === 'Relu' || op === 'Clip') expect(producer.get(inputs[0]!)).toMatch(/^(Conv|Add)$/);
      if (op === 'Conv' || op === 'Gemm')
        for (const input of inputs.slice(0, 2)) expect(producer.get(input)).toBe('DequantizeLinear');
    }
  });

  it('says which layer stays in float because its range is not known', async () => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const first = graph.nodes.find(({ op }) => op === 'Relu')!.outputs[0]!;
    const scales = new Map([...quantization].filter(([name]) => name !== first));
    const { result, skipped } = exportQdq(graph, scales);
    expect(skipped.map(({ why }) => why)).toContain(`the range of ${first}:0312 is not known`);
    const [actual, expected] = [await run(encodeModel(result)), await run(float)];
    expect(rootMeanSquare(difference(actual, expected))).toBeLessThan(0.08 * rootMeanSquare(expected));
  });

  it('gives what int8 TFLite gives from the same scales, to a step or two', async () => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const one = { x: { data: numbers(192, 'x', 0).slice(0, 192), shape: [1, 8, 8, 3] } };
    const onnx = await run(encodeModel(exportQdq(graph, quantization).result), one);
    const { bytes, skipped } = exportTflite(graph, { precision: 'integer', quantization });
    expect(skipped).toEqual([]);
    const tflite = await openTflite(bytes);
    const results = await tflite.run({ x: one.x.data });
    tflite.dispose();
    const step = quantization.get([...graph.outputs.values()][0]!)!.scales[0]!;
    const off = difference(onnx, results['logits'] as Float32Array).map((d) => Math.abs(d) / step);
    expect(Math.max(...off)).toBeLessThan(3);
  });

  it('is the same, byte for byte, every time', async () => {
    const make = async () =>
      encodeModel(
        exportQdq(graph, (await quantize(graph, samples, { calibrator: 'mse', open: openerOf(session) })).result)
          .result,
      );
    expect(await make()).toEqual(await make());
  });

  it('has nothing to calibrate with without samples', async () => {
    await expect(quantize(graph, [], { calibrator: 'mse', open: openerOf(session) })).rejects.toThrow(
      /at least 1 sample/,
    );
  });

  it('a value that is no number on some sample leaves its layer in float, by name', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
    b.output('logits', b.op('Log', [x]));
    const feeds = [{ x: { data: Float32Array.of(1, -1), shape: [1, 2] } }];
    const { result, skipped } = await quantize(b.build(), feeds, { calibrator: 'mse', open: openerOf(session) });
    expect([...result.keys()]).toEqual(['x']);
    expect(skipped).toEqual([{ what: 'Log_1', why: 'Log_1 took values that are infinite or no number' }]);
  });
});

describe('int8 ONNX of numbers far apart', () => {
  const int8 = async (of: Graph, feeds: Feeds): Promise<Float32Array[]> => {
    const { result: quantization } = await quantize(of, [feeds], { calibrator: 'minmax', open: openerOf(session) });
    return [
      await run(encodeModel(exportQdq(of, quantization).result), feeds),
      await run(encodeModel(lowerToOnnx(of)), feeds),
    ];
  };

  it('keeps scores beside a stored mask, that of each sum as it matters there', async () => {
    const b = new GraphBuilder();
    const [x, z] = ['x', 'z'].map((name) => b.input(name, { dtype: 'float32', shape: ['batch', 4] })) as [
      string,
      string,
    ];
    const mask = b.constant({ dtype: 'float32', shape: [4] }, Float32Array.of(0, -1e9, 0, 0), 'mask');
    const shares = [x, z].map((from) => b.op('Softmax', [b.op('Add', [from, mask])], { axis: 1 }));
    b.output('logits', b.op('Concat', shares, { axis: 1 }));
    const feeds = {
      x: { data: Float32Array.of(-2, 0.5, 3, 2), shape: [1, 4] },
      z: { data: Float32Array.of(-0.2, 0.5, 0.3, 0.2), shape: [1, 4] },
    };
    const [actual, expected] = await int8(b.build(), feeds);
    expectClose(actual!, expected!, 0.02);
  });

  it.each([true, false])('keeps the bias of a channel whose weights have vanished, last layer: %s', async (isLast) => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
    const values = Float32Array.of(0.5, 1e-12, 1e-42, 0.7, -1e-12, 1e-42);
    const product = b.op('BatchMatMul', [x, b.constant({ dtype: 'float32', shape: [2, 3] }, values)], {
      transposeA: false,
      transposeB: false,
    });
    const y = b.op('Add', [product, b.constant({ dtype: 'float32', shape: [3] }, Float32Array.of(0.25, 1, -0.5))]);
    b.output('logits', isLast ? y : b.op('LeakyRelu', [y], { alpha: 0.5 }));
    const [actual, expected] = await int8(b.build(), { x: { data: Float32Array.of(-1, 1, 0.5, 0.25), shape: [2, 2] } });
    expectClose(actual!, expected!, 0.02);
  });
});

describe('float16 ONNX', () => {
  it('is half as large and answers nearly the same, float32 at its ends', async () => {
    const { result, skipped } = halveModel(lowerToOnnx(graph));
    expect(skipped).toEqual([]);
    expect(result.graph.initializers.some(({ dtype }) => dtype === 'float32')).toBe(false);
    const [actual, expected] = [await run(encodeModel(result)), await run(float)];
    expect(rootMeanSquare(difference(actual, expected))).toBeLessThan(0.01 * rootMeanSquare(expected));
    expect(actual).not.toEqual(expected);
  });

  it('brings answers to their units in float32, where they are larger than what a half can hold', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
    const [scale, mean] = [80_000, 250_000].map((value) =>
      b.constant({ dtype: 'float32', shape: [2] }, Float32Array.of(value, value / 1e6)),
    ) as [string, string];
    b.output('y', b.op('Add', [b.op('Multiply', [b.op('Relu', [x]), scale]), mean]));
    const { result, skipped } = halveModel(lowerToOnnx(b.build()));
    expect(skipped).toEqual([]);
    expect(result.graph.initializers.map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
    const model = new InferenceModel(encodeModel(result), 'm', session);
    const { y } = await model.run({ x: { data: Float32Array.of(0.5, 0.25, -1, 1), shape: [2, 2] } });
    expect([...y!.data].map(Number)).toEqual(
      [290_000, 0.27, 250_000, 0.33].map((value): unknown => expect.closeTo(value, 4)),
    );
    model.dispose();
  });

  it('holds what no half can hold as the largest half, and says so', () => {
    const b = new GraphBuilder();
    const mask = b.constant({ dtype: 'float32', shape: [2] }, Float32Array.of(-1e9, 1), 'mask');
    b.output('y', b.op('Add', [b.input('x', { dtype: 'float32', shape: [2] }), mask]));
    const { skipped } = halveModel(lowerToOnnx(b.build()));
    expect(skipped).toEqual([{ what: 'mask', why: '1 of its values, such as -1.00e+9, are beyond ±65504' }]);
  });
});
