import { decodeModel, encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { lowerReduced } from '../../../../src/formats/onnx/rewrite/reduce.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import type { Graph } from '../../../../src/graph/types.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../../src/runtime/onnxruntime/engine.ts';
import { numbers } from '../../../support/graphs.ts';

/** A convolution, and two dense layers: one whose inner size is no multiple of a block, with odd sizes, one transposed. */
function network(): Graph {
  const b = new GraphBuilder();
  const weights = (...shape: number[]): string =>
    b.constant(
      { dtype: 'float32', shape },
      numbers(
        shape.reduce((x, y) => x * y, 1),
        'w',
        shape.join(),
      ).map((v) => 0.2 * v),
    );
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 5, 3, 3] });
  const window = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
  const conv = b.op('Relu', [b.op('Add', [b.op('Conv2D', [x, weights(3, 3, 3, 5)], window), weights(5)])]);
  const flat = b.op('Reshape', [conv], { shape: ['batch', 75] });
  const hidden = b.op('Relu', [
    b.op('Add', [b.op('BatchMatMul', [flat, weights(75, 33)], { transposeA: false, transposeB: false }), weights(33)]),
  ]);
  b.output('y', b.op('BatchMatMul', [hidden, weights(7, 33)], { transposeA: false, transposeB: true }));
  return b.build();
}

const graph = network();
const feeds = { x: { data: numbers(16 * 45, 'x'), shape: [16, 5, 3, 3] } };

async function run(bytes: Uint8Array, fed = feeds): Promise<Float32Array> {
  const model = new InferenceModel(bytes, 'test.onnx', sessionOptions('cpu', { threads: 1 }));
  const { y } = await model.run(fed);
  model.dispose();
  return (y!.data as Float32Array).slice();
}

const power = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0);

async function noise(bytes: Uint8Array): Promise<number> {
  const [actual, expected] = [await run(bytes), await run(encodeModel(lowerToOnnx(graph)))];
  return power(actual.map((value, i) => value - expected[i]!)) / power(expected);
}

it('dynamic int8 stores weights in 8 bits, computes in integers, and answers nearly as float32', async () => {
  const { result, skipped } = lowerReduced(graph, 'dynamic-int8');
  expect(skipped).toEqual([]);
  const ops = result.graph.nodes.map(({ op }) => op);
  expect(ops.filter((op) => op === 'MatMulInteger')).toHaveLength(2);
  expect(ops).toContain('ConvInteger');
  expect(ops.some((op) => op === 'Conv' || op === 'Gemm' || op === 'MatMul')).toBe(false);
  const bytes = encodeModel(result);
  expect(await noise(bytes)).toBeLessThan(1e-3);
  expect(await noise(bytes)).toBeGreaterThan(0);
  const largest = decodeModel(bytes, 'x').graph.initializers.filter(
    ({ dims }) => dims.reduce((a, b) => a * b, 1) > 100,
  );
  expect(largest.map(({ dtype }) => dtype).sort()).toEqual(['int8', 'int8', 'uint8']);
});

it('int4 stores the weights of dense layers in 4 bits, in blocks, and names the convolution that it leaves', async () => {
  const { result, skipped } = lowerReduced(graph, 'int4');
  expect(skipped.map(({ why }) => why)).toEqual(['int4 is for dense layers, and this is a convolution']);
  expect(result.opsets.get('')).toBe(21);
  const packed = result.graph.initializers.filter(({ dtype }) => dtype === 'int4');
  expect(packed.map(({ dims, raw }) => [...dims, raw.length])).toEqual([
    [75, 33, 1238],
    [33, 7, 116],
  ]);
  const bytes = encodeModel(result);
  expect(await noise(bytes)).toBeLessThan(0.02);
  expect(await noise(bytes)).toBeGreaterThan(1e-6);
});

it.each(['dynamic-int8', 'int4', 'fp16'] as const)('%s is the same, byte for byte, every time', (reduction) => {
  expect(encodeModel(lowerReduced(graph, reduction).result)).toEqual(
    encodeModel(lowerReduced(graph, reduction).result),
  );
});

it('half precision leaves inputs alone that are cast at once: ids beyond 2048 keep their last digits', async () => {
  const b = new GraphBuilder();
  const ids = b.op('Cast', [b.input('x', { dtype: 'float32', shape: ['batch'] })], { dtype: 'int32' });
  const low = b.op('Mod', [ids, b.constant({ dtype: 'int32', shape: [] }, Int32Array.of(8))]);
  b.output('y', b.op('Cast', [low], { dtype: 'float32' }));
  const { result } = lowerReduced(b.build(), 'fp16');
  const model = new InferenceModel(encodeModel(result), 'ids.onnx', sessionOptions('cpu', { threads: 1 }));
  const { y } = await model.run({ x: { data: Float32Array.of(4097, 8003, 2049), shape: [3] } });
  model.dispose();
  expect(Array.from(y!.data as Float32Array)).toEqual([1, 3, 1]);
});

it.each(['dynamic-int8', 'int4', 'fp16'] as const)('%s leaves nodes alone that are kept', async (reduction) => {
  const b = new GraphBuilder();
  const shared = b.constant({ dtype: 'float32', shape: [64, 64] }, numbers(64 * 64, 'w'));
  const tiny = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(1e-9));
  const options = { transposeA: false, transposeB: false };
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 64] });
  // In half precision 1e-9 is 0, and its logarithm infinite.
  const first = b.op('BatchMatMul', [x, shared], options, 'front');
  const logarithms = b.op('Log', [b.op('Add', [b.op('Square', [first], {}, 'front'), tiny], {}, 'front')], {}, 'front');
  b.output('y', b.op('BatchMatMul', [logarithms, shared], options, 'back'));
  const run = async (bytes: Uint8Array): Promise<Float32Array> => {
    const model = new InferenceModel(bytes, 'kept.onnx', sessionOptions('cpu', { threads: 1 }));
    const { y } = await model.run({ x: { data: new Float32Array(128), shape: [2, 64] } });
    model.dispose();
    return y!.data as Float32Array;
  };
  const made = b.build();
  const { result } = lowerReduced(made, reduction, { keepFloat: (node) => node.startsWith('front/') });
  const [actual, expected] = [await run(encodeModel(result)), await run(encodeModel(lowerToOnnx(made)))];
  const error = power(actual.map((value, i) => value - expected[i]!)) / power(expected);
  expect(error).toBeLessThan(reduction === 'int4' ? 0.05 : 1e-3);
  expect(error).toBeGreaterThan(0);
});

it.each(['dynamic-int8', 'int4'] as const)(
  '%s weights that one layer reads as they are and another turned around are stored both ways',
  async (kind) => {
    const b = new GraphBuilder();
    const square = b.constant({ dtype: 'float32', shape: [33, 33] }, numbers(33 * 33, 'tied'));
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 33] });
    const hidden = b.op('Relu', [b.op('BatchMatMul', [x, square], { transposeA: false, transposeB: false })]);
    b.output('y', b.op('BatchMatMul', [hidden, square], { transposeA: false, transposeB: true }));
    const tied = b.build();
    const fed = { x: { data: numbers(4 * 33, 'x'), shape: [4, 33] } };
    const { result, skipped } = lowerReduced(tied, kind);
    expect(skipped).toEqual([]);
    const [actual, expected] = [await run(encodeModel(result), fed), await run(encodeModel(lowerToOnnx(tied)), fed)];
    expect(power(actual.map((value, i) => value - expected[i]!)) / power(expected)).toBeLessThan(0.03);
  },
);
