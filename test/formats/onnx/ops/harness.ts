import '@tensorflow/tfjs-backend-cpu';
// For its side effect: tfjs' gradients.
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import type { Attrs, DType, TensorData } from '../../../../src/graph/types.ts';
import { SessionEvaluator } from '../../../../src/runtime/onnxruntime/evaluator.ts';

// tfjs' cpu backend else advises to install a faster one.
tf.env().set('IS_TEST', true);

/** One evaluator for a test file. */
const evaluator = new SessionEvaluator();

/** Repeatable values, uniform in [low, high). */
export function values(count: number, seed = 1, low = -2, high = 2): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return low + ((state >>> 8) / 0x1000000) * (high - low);
  });
}

export interface Operand {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export function f32(shape: readonly number[], data?: readonly number[] | Float32Array, seed = 1): Operand {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: 'float32', shape, data: data === undefined ? values(count, seed) : Float32Array.from(data) };
}

export function i32(shape: readonly number[], data: readonly number[]): Operand {
  return { dtype: 'int32', shape, data: Int32Array.from(data) };
}

export function bool(shape: readonly number[], data: readonly number[]): Operand {
  return { dtype: 'bool', shape, data: Uint8Array.from(data) };
}

/** Runs one op through lowering and ONNX Runtime, on fed operands (`constant`: on stored ones). */
export function runOp(
  op: string,
  operands: readonly (Operand | undefined)[],
  attrs: Attrs = {},
  constant = false,
): TensorData[] {
  const b = new GraphBuilder();
  const feeds = new Map<string, TensorData>();
  const names = operands.map((operand, i) => {
    if (operand === undefined) return '';
    const type = { dtype: operand.dtype, shape: operand.shape };
    if (constant) return b.constant(type, operand.data);
    feeds.set(`x${i}`, operand.data);
    return b.input(`x${i}`, type);
  });
  const outputs = b.node(op, names, attrs);
  outputs.forEach((name, i) => b.output(`y${i}`, name));
  const results = evaluator.runSync(b.build(), feeds);
  return outputs.map((_, i) => results.get(`y${i}`)!);
}

/** The same operand as a tensor on tfjs' cpu backend. */
export function onCpu({ dtype, shape, data }: Operand): tf.Tensor {
  return tf.tensor(data as Float32Array, [...shape], dtype as 'float32');
}

export function expectClose(actual: TensorData, expected: TensorData | readonly number[], tolerance = 1e-5): void {
  const [a, e] = [Array.from(actual as Float32Array), Array.from(expected as Float32Array)];
  expect(a.length).toBe(e.length);
  const wrong = a.flatMap((value, i) => (close(value, e[i]!, tolerance) ? [] : [`[${i}] ${value} instead of ${e[i]}`]));
  expect(wrong.slice(0, 5)).toEqual([]);
}

function close(a: number, b: number, tolerance: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  return a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
}

/** What the op gives against what tfjs' cpu backend gives. */
export function expectSame(
  op: string,
  operands: readonly Operand[],
  attrs: Attrs,
  reference: (...x: tf.Tensor[]) => tf.Tensor,
  tolerance?: number,
): void {
  const expected = tf.tidy(() => reference(...operands.map(onCpu)).dataSync());
  expectClose(runOp(op, operands, attrs)[0]!, expected, tolerance);
}
