import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { RandomStream } from '../../src/base/random.ts';
import { staticShape, staticSize } from '../../src/graph/shapes.ts';
import type { Graph, TensorData, TensorType } from '../../src/graph/types.ts';
import { interpret, tfTensorOf } from '../../src/trace/interpret/interpret.ts';

/** Normal numbers that a test can name: the same for the same key. */
export function numbers(count: number, ...key: readonly (string | number)[]): Float32Array {
  const stream = new RandomStream('test', ...key);
  return Float32Array.from({ length: count }, () => stream.normal());
}

export function float32(...shape: number[]): TensorType {
  return { dtype: 'float32', shape };
}

/** Outputs and updates of a graph with fixed shapes, on tfjs' cpu backend, for random inputs and state. */
export function resultsOf(graph: Graph): Record<string, TensorData> {
  const before = tf.engine().backendName;
  void tf.engine().setBackend('cpu');
  const results: Record<string, TensorData> = {};
  tf.tidy(() => {
    const values: Record<string, tf.Tensor> = {};
    for (const [name, { dtype, shape }] of [...graph.inputs, ...graph.state]) {
      const data = numbers(staticSize(shape), name);
      values[name] = tfTensorOf(
        dtype === 'float32' ? data : Int32Array.from(data, Math.abs),
        dtype,
        staticShape(shape, name),
      );
    }
    const { outputs, updates } = interpret(graph, values);
    for (const [name, tensor] of Object.entries({ ...outputs, ...updates })) results[name] = tensor.dataSync().slice();
  });
  if (before !== undefined && before !== null) void tf.engine().setBackend(before);
  return results;
}

/** Evaluates a graph without inputs, as constant folding wants it. */
export function evaluateOnCpu(graph: Graph): ReadonlyMap<string, TensorData> {
  return new Map(Object.entries(resultsOf(graph)));
}

export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-3, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i]! - expected[i]!) <= tolerance * scale))
      throw new Error(`element ${i} is ${actual[i]}, expected ${expected[i]} (largest magnitude ${scale})`);
  }
}

export function expectSameResults(actual: Graph, expected: Graph, tolerance = 1e-5): void {
  const [a, b] = [resultsOf(actual), resultsOf(expected)];
  expect(Object.keys(a)).toEqual(Object.keys(b));
  for (const name of Object.keys(b)) expectClose(a[name] as Float32Array, b[name] as Float32Array, tolerance);
}

export function opsOf(graph: Graph): string[] {
  return graph.nodes.map(({ op }) => op);
}
