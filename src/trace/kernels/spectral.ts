import type * as tf from '@tensorflow/tfjs-core';
import type { LazyBackend } from '../backend.ts';
import type { Value } from '../value.ts';
import { op } from '../value.ts';
import { matMul } from './matmul.ts';
import type { TensorRow, TensorTable } from './table.ts';
import { constant, reshape, scalar, sizeOfShape } from './table.ts';

/** Discrete Fourier transform of each row, as a product with its matrix: for short signals. */
const transform =
  (inverse: boolean): TensorRow =>
  ({ input }, _, backend: LazyBackend) => {
    const parts = backend.partsOf(input!);
    const { shape } = input!;
    const n = shape.at(-1)!;
    const flat = (info: tf.TensorInfo): Value => reshape(backend.lookup(info), [sizeOfShape(shape) / n, n]);
    const [real, imag] = [flat(parts.real), flat(parts.imag)];
    const wave = (f: (angle: number) => number): ReturnType<typeof constant> => {
      const entries = Array.from({ length: n * n }, (__, i) =>
        f((2 * Math.PI * ((Math.floor(i / n) * (i % n)) % n)) / n),
      );
      return constant(entries, [n, n]);
    };
    const [cos, sin] = [wave(Math.cos), wave(inverse ? Math.sin : (angle) => -Math.sin(angle))];
    const re = op('Sub', [matMul(real, cos), matMul(imag, sin)]);
    const im = op('Add', [matMul(real, sin), matMul(imag, cos)]);
    const scaled = (x: typeof re): typeof re => reshape(inverse ? op('RealDiv', [x, scalar(n)]) : x, shape);
    return backend.holdComplex(backend.hold(scaled(re)), backend.hold(scaled(im)));
  };

/** The smallest normal float32. */
const SMALLEST = 1.1754943508222875e-38;

export const spectral: TensorTable = {
  FFT: transform(false),
  IFFT: transform(true),
  ComplexAbs: ({ x }, _, backend) => {
    const { real, imag } = backend.partsOf(x!);
    const [a, b] = [real, imag].map((part) => op('Abs', [backend.lookup(part)])) as [Value, Value];
    // max · sqrt(1 + (min / max)²): squares of small numbers would underflow.
    const most = op('Maximum', [op('Maximum', [a, b]), scalar(SMALLEST)]);
    const ratio = op('RealDiv', [op('Minimum', [a, b]), most]);
    const length = op('Multiply', [most, op('Sqrt', [op('Add', [scalar(1), op('Square', [ratio])])])]);
    return backend.hold(op('Select', [op('Greater', [op('Maximum', [a, b]), scalar(0)]), length, scalar(0)]));
  },
};
