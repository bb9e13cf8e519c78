import * as tf from '@tensorflow/tfjs-core';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { BACKEND_NAME } from '../../src/trace/backend.ts';
import { setEvaluator } from '../../src/trace/evaluate.ts';
import { install } from '../../src/trace/install.ts';
import { useCpu } from './cpu.ts';
import { expectClose, numbers } from './graphs.ts';

export type Fn = (...x: tf.Tensor[]) => tf.Tensor;

export interface Options {
  /** Computes the same on tfjs' cpu backend where that refuses `fn`, or is wrong. */
  readonly reference?: Fn;
  /** Default: compared too. */
  readonly gradient?: boolean;
  /** What the inputs hold; default: normal numbers. */
  readonly values?: (count: number, input: number) => Float32Array | Int32Array;
  readonly dtypes?: readonly tf.DataType[];
  /** Relative to the largest magnitude. */
  readonly tolerance?: number;
}

type Values = Record<string, Float32Array | Int32Array | Uint8Array>;

/** Results and gradients of `fn` on one backend. The gradient is that of a random mix of all results. */
function computeOn(backend: string, fn: Fn, shapes: readonly (readonly number[])[], options: Options): Values {
  void tf.engine().setBackend(backend);
  const results: Values = {};
  tf.tidy(() => {
    const inputs = shapes.map((shape, i) => {
      const count = shape.reduce((n, dim) => n * dim, 1);
      const data = options.values?.(count, i) ?? numbers(count, 'input', i);
      return tf.tensor(data, [...shape], options.dtypes?.[i]);
    });
    const y = fn(...inputs);
    results[`result ${y.dtype}[${y.shape.join()}]`] = y.dataSync();
    if (options.gradient === false) return;
    const mix = tf.tensor(numbers(y.size, 'mix'), y.shape);
    // Indices have no gradient.
    const floats = inputs.filter(({ dtype }) => dtype === 'float32');
    const mixed = (...x: tf.Tensor[]): tf.Tensor => {
      const rest = [...x];
      return tf.sum(tf.mul(fn(...inputs.map((input) => (input.dtype === 'float32' ? rest.shift()! : input))), mix));
    };
    const gradients = tf.grads(mixed)(floats);
    gradients.forEach((gradient, i) => {
      results[`gradient ${i} [${gradient.shape.join()}]`] = gradient.dataSync();
    });
  });
  void tf.engine().setBackend('cpu');
  return results;
}

/** Forward and gradient agree with tfjs' cpu backend, computed by ONNX Runtime. */
export function expectSameAsCpu(fn: Fn, shapes: readonly (readonly number[])[], options: Options = {}): void {
  const actual = computeOn(BACKEND_NAME, fn, shapes, options);
  const expected = computeOn('cpu', options.reference ?? fn, shapes, options);
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const name of Object.keys(expected)) expectClose(actual[name]!, expected[name]!, options.tolerance ?? 2e-5);
}

/** A table of cases, one test each: name, function, shapes, options. */
export type Case = readonly [
  name: string,
  fn: Fn,
  shapes: readonly (readonly number[])[],
  options?: Options | undefined,
];

export function describeSameAsCpu(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    beforeAll(async () => {
      await useCpu();
      install();
      setEvaluator(evaluator);
    });
    for (const [name, fn, shapes, options] of cases) {
      it(name, () => expectSameAsCpu(fn, shapes, options));
    }
  });
}
