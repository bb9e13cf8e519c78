import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportQdq, planQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { InferenceModel, openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { numbers } from '../../support/graphs.ts';

const session = sessionOptions('cpu', { threads: 1 });
const [SIZE, ROWS] = [32, 64];

/** A layer norm between dense layers. */
function network(): Graph {
  const b = new GraphBuilder();
  const stored = (name: string, ...shape: number[]): string =>
    b.constant({ dtype: 'float32', shape }, numbers(shape.reduce((x, y) => x * y), name), name); // prettier-ignore
  const dense = (x: string, name: string): string =>
    b.op('BatchMatMul', [x, stored(name, SIZE, SIZE)], { transposeA: false, transposeB: false });
  const mean = (x: string): string => b.op('Mean', [x], { axes: [1], keepDims: true });
  const y = dense(b.input('x', { dtype: 'float32', shape: ['batch', SIZE] }), 'first');
  const centred = b.op('Sub', [y, mean(y)]);
  const epsilon = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(1e-5));
  const variance = mean(b.op('Multiply', [centred, centred]));
  const normal = b.op('Multiply', [centred, b.op('Rsqrt', [b.op('Add', [variance, epsilon])])]);
  const scaled = b.op('Add', [b.op('Multiply', [normal, stored('scale', SIZE)]), stored('offset', SIZE)]);
  b.output('y', dense(scaled, 'last'));
  return b.build();
}

const graph = network();
const feeds = { x: { data: numbers(ROWS * SIZE, 'x'), shape: [ROWS, SIZE] } };

async function run(bytes: Uint8Array): Promise<Float32Array> {
  const model = new InferenceModel(bytes, 'test.onnx', session);
  const { y } = await model.run(feeds);
  model.dispose();
  return (y!.data as Float32Array).slice();
}

it('sums and products of float32 alone stay float32: a layer norm is rounded at its ends', async () => {
  const { result: quantization } = await quantize(graph, [feeds], { calibrator: 'minmax', open: openerOf(session) });
  const { result } = exportQdq(graph, quantization);
  const made = new Map(result.graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node.op])));
  const rounded = result.graph.nodes.filter(({ op }) => op === 'QuantizeLinear').map(({ inputs }) => made.get(inputs[0]!)); // prettier-ignore
  expect(rounded).toEqual([undefined, 'Gemm', 'Add']);
  expect(planQdq(graph, quantization).activations.size).toBe(rounded.length);
  const [actual, expected] = [await run(encodeModel(result)), await run(encodeModel(lowerToOnnx(graph)))];
  const square = (of: Float32Array): number => of.reduce((sum, value) => sum + value * value, 0);
  const error = square(actual.map((value, i) => value - expected[i]!)) / square(expected);
  expect(Math.sqrt(error)).toBeLessThan(0.017);
});
