import { importOnnx } from '../../src/formats/onnx/import.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import type { Model, OnnxAttr, OnnxDim, OnnxNode, OnnxTensor } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { expectClose, numbers } from './graphs.ts';

type Value = number | string | readonly number[] | OnnxAttr;
export type Attrs = Readonly<Record<string, Value>>;
/** Dimensions that the file says, those that are fed, and the nodes. */
export type Case = readonly [dims: readonly OnnxDim[], fed: readonly number[], steps: readonly Step[], opset?: number];
export type Step = readonly [op: string, inputs: readonly string[], attrs?: Attrs, outputs?: readonly string[]];

export const attribute = (value: Value): OnnxAttr => {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'object') return 'type' in value ? value : { type: 'ints', value };
  return Number.isInteger(value) ? { type: 'int', value } : { type: 'float', value };
};

/** A model of one input `x`, written as other tools write it; the result of step i is `y<i>`, of the last one `y`. */
export function modelOf(
  dims: readonly OnnxDim[],
  stored: Readonly<Record<string, OnnxTensor>>,
  steps: readonly Step[],
  opset = 17,
): Model {
  const nodes = steps.map(([op, inputs, attrs = {}, outputs], i): OnnxNode => ({
    ...{ op, domain: '', name: `node_${i}`, inputs, outputs: outputs ?? [i === steps.length - 1 ? 'y' : `y${i}`] },
    attrs: new Map(Object.entries(attrs).map(([name, value]) => [name, attribute(value)])),
  }));
  return {
    ...{ irVersion: 8, opsets: new Map([['', opset]]), producerName: 'test', producerVersion: '', metadata: new Map() },
    functions: [],
    graph: {
      name: 'test',
      nodes,
      initializers: Object.entries(stored).map(([name, t]) => ({ ...t, name })),
      inputs: [{ name: 'x', dtype: 'float32', dims }],
      outputs: [{ name: 'y', dtype: 'float32' }],
      valueInfos: [],
    },
  };
}

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
export const floats = (...dims: number[]): OnnxTensor =>
  tensor('', 'float32', dims, numbers(size(dims), 'w', dims.join()));
export const positive = (...dims: number[]): OnnxTensor =>
  tensor(
    '',
    'float32',
    dims,
    numbers(size(dims), 'p', dims.join()).map((v) => Math.abs(v) + 0.5),
  );
export const ints = (...values: number[]): OnnxTensor =>
  tensor('', 'int64', [values.length], BigInt64Array.from(values, BigInt));
/** An attribute of the type float whose value is a whole number. */
export const float = (value: number): OnnxAttr => ({ type: 'float', value });
export const list = (...values: number[]): OnnxTensor =>
  tensor('', 'float32', [values.length], Float32Array.from(values));
export const integer = (value: number): OnnxTensor => tensor('', 'int64', [], BigInt64Array.of(BigInt(value)));
export const scalar = (value: number): OnnxTensor => tensor('', 'float32', [], Float32Array.of(value));

export async function run(bytes: Uint8Array, shape: readonly number[]): Promise<Float32Array> {
  const model = new InferenceModel(bytes, 'test.onnx', {
    ...sessionOptions('cpu', { threads: 1 }),
    graphOptimizationLevel: 'disabled',
  });
  const { y } = await model.run({ x: { data: numbers(size(shape), 'x'), shape } });
  model.dispose();
  return Float32Array.from(y!.data as ArrayLike<number | bigint>, Number);
}

/** What ONNX Runtime makes of the file, and of what we have read of it and written again. */
export async function expectSame(model: Model, shape: readonly number[]): Promise<void> {
  const graph = forInference(importOnnx(model, 'test.onnx'), (part) => evaluator.runSync(part, new Map()));
  const expected = await run(encodeModel(model), shape);
  expect(expected.length).toBeGreaterThan(0);
  expectClose(await run(encodeModel(lowerToOnnx(graph)), shape), expected, 1e-5);
}
