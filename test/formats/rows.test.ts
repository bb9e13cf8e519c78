import { numbers } from '../support/graphs.ts';
import { lowerReduced } from '../../src/formats/onnx/rewrite/reduce.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { Model } from '../../src/formats/onnx/model.ts';
import { exportQdq } from '../../src/formats/onnx/qdq/qdq.ts';
import { asymmetric, symmetric } from '../../src/graph/quantization.ts';
import type { Quantization, TensorQuantization } from '../../src/graph/quantization.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';

const [ROWS, SIZE] = [64, 32];
/** Vectors of tokens, the last of them ten thousand times shorter than the first. */
const table = numbers(ROWS * SIZE, 'rows').map((value, i) => value * 10 ** ((-4 * Math.floor(i / SIZE)) / (ROWS - 1)));
const ids = Float32Array.of(0, 17, 40, ROWS - 1);

const graph = (() => {
  const b = new GraphBuilder();
  const at = b.op('Cast', [b.input('x', { dtype: 'float32', shape: ['batch', ids.length] })], { dtype: 'int32' });
  const stored = b.constant({ dtype: 'float32', shape: [ROWS, SIZE] }, table);
  b.output('y', b.op('GatherV2', [stored, at], { axis: 0, batchDims: 0 }));
  return b.build();
})();

/** Each row by itself is as exact as 8 bits allow, however short it is; and none is as exact as floats. */
function expectRows(found: Float32Array): void {
  expect(found.length).toBe(ids.length * SIZE);
  ids.forEach((id, i) => {
    const expected = table.subarray(id * SIZE, (id + 1) * SIZE);
    const step = Math.max(...expected.map(Math.abs)) / 127;
    const largest = Math.max(...expected.map((value, k) => Math.abs(value - found[i * SIZE + k]!)));
    expect([id, largest <= 0.5001 * step, largest > 0]).toEqual([id, true, true]);
  });
}

const scaled = (q: TensorQuantization): Quantization => new Map([...graph.outputs.values()].map((name) => [name, q]));

it.each([
  ['dynamic int8', () => lowerReduced(graph, 'dynamic-int8')],
  ['int8', () => exportQdq(graph, scaled(asymmetric(-1, 4, 'int8')))],
])('%s stores a table in 8 bits with a scale for each row, in ONNX', async (_precision, make) => {
  const { result, skipped } = make();
  expect(skipped).toEqual([]);
  expect(result.graph.initializers.map(({ dtype, dims }) => [dtype, ...dims])).toEqual(
    expect.arrayContaining([
      ['int8', ROWS, SIZE],
      ['float32', ROWS, 1],
    ]),
  );
  expect(result.graph.initializers).toHaveLength(2);
  const model = new InferenceModel(encodeModel(result), 'rows.onnx', sessionOptions('cpu', { threads: 1 }));
  const { y } = await model.run({ x: { data: ids, shape: [1, ids.length] } });
  model.dispose();
  expectRows(y!.data as Float32Array);
});

it('a table that is kept stays in float in int8 ONNX, and so does that of a file for TensorRT, which says so', () => {
  const typesOf = ({ graph: made }: Model): string[] => made.initializers.map(({ dtype }) => dtype);
  const kept = exportQdq(graph, scaled(asymmetric(-1, 4, 'int8')), { keepFloat: () => true });
  expect([typesOf(kept.result), kept.skipped]).toEqual([['float32'], []]);
  const { result, skipped } = exportQdq(graph, scaled(symmetric([4], 'int8')));
  expect(typesOf(result)).toEqual(['float32']);
  expect(skipped.map(({ why }) => why)).toEqual([expect.stringMatching(/^its 64 vectors stay float32 with symmetric/)]);
});

it('so it does in TFLite, and leaves alone a table that is kept', async () => {
  const size = (options: object): number => exportTflite(graph, options).bytes.length;
  expect(size({ precision: 'dynamic', keepFloat: () => true })).toBe(size({}));
  const { bytes } = exportTflite(graph, { precision: 'dynamic' });
  expect(size({}) - bytes.length).toBeGreaterThan(0.5 * 4 * ROWS * SIZE);
  const session = await openTflite(bytes);
  const { y } = await session.run({ x: ids });
  session.dispose();
  expectRows(y as Float32Array);
});
