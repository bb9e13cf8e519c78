import {
  asymmetric,
  constantScale,
  divisorsOf,
  heldRange,
  reciprocalsOf,
  symmetric,
  termRange,
  withRoomForBias,
} from '../../src/graph/quantization.ts';
import type { TensorQuantization } from '../../src/graph/quantization.ts';

const of = (scale: number, zeroPoint: number): TensorQuantization => {
  return { dtype: 'int8', scales: [scale], zeroPoints: [zeroPoint] };
};

describe('scales', () => {
  it('spread all steps over the range, and hold 0', () => {
    expect(asymmetric(-1, 4.1, 'uint8')).toEqual({ dtype: 'uint8', scales: [Math.fround(0.02)], zeroPoints: [50] });
    expect(asymmetric(1, 5.1, 'int8')).toEqual({ dtype: 'int8', scales: [Math.fround(0.02)], zeroPoints: [-128] });
    // The nearest step to -0.6 of 1, not the one below.
    expect(asymmetric(-0.6, 254.4, 'int8')).toEqual({ dtype: 'int8', scales: [1], zeroPoints: [-127] });
    expect(symmetric([254, 0.127], 'int8', 0).scales).toEqual([2, Math.fround(0.001)]);
  });

  it('of what is 0, or as good as 0, are not: nothing is divided by 0', () => {
    expect(asymmetric(0, 0, 'int8').scales).toEqual([Math.fround(1 / 255)]);
    expect(asymmetric(0, 1e-43, 'int8').scales).toEqual([Math.fround(1 / 255)]);
    expect(symmetric([0, 1e-43, 1e-39], 'int8', 0).scales).toEqual(Array(3).fill(Math.fround(1 / 127)));
  });

  it('hold the values of a constant as far as they matter', () => {
    const values = Float32Array.of(-1e9, 2, -3);
    expect(heldRange(constantScale(values, 'int8', [-5.1, 100]))).toEqual([
      expect.closeTo(-5.1, 1),
      expect.closeTo(2, 1),
    ]);
    expect(constantScale(values, 'int16', [-5, 100]).scales).toEqual([Math.fround(5 / 32767)]);
    expect(constantScale(Float32Array.of(-1, 2.54), 'int8', undefined, true).scales).toEqual([Math.fround(0.02)]);
  });
});

it('a term of a sum matters from where it brings every other term to one end of the result to where it brings it to the other', () => {
  // The other term: -3 … 2.1; the result: -10.2 … 5.1.
  expect(termRange(of(0.02, 22), of(0.06, 42))).toEqual([expect.closeTo(-12.3), expect.closeTo(8.1)]);
});

describe('room for a bias', () => {
  const weights: TensorQuantization = { dtype: 'int8', scales: [0.5, 2 ** -40], zeroPoints: [0, 0], axis: 0 };

  it('is made where 2³⁰ steps of both scales end before it', () => {
    const made = withRoomForBias(weights, Float32Array.of(3, -2), 2 ** -5);
    expect(made).toEqual({ ...weights, scales: [0.5, 2 ** -24] });
    expect(2 / (made.scales[1]! * 2 ** -5)).toBe(2 ** 30);
  });

  it('is for the largest where all channels have one scale', () => {
    const one: TensorQuantization = { dtype: 'int8', scales: [2 ** -40], zeroPoints: [0] };
    expect(withRoomForBias(one, Float32Array.of(1, -4, 2), 1).scales).toEqual([2 ** -28]);
  });

  it('is there already beside biases of the usual size, and without one', () => {
    expect(withRoomForBias(weights, Float32Array.of(1e6, 1e-6), 2 ** -5)).toBe(weights);
    expect(withRoomForBias(weights, undefined, 2 ** -5)).toBe(weights);
  });
});

it.each([
  ['Sqrt', ['a'], true],
  ['RSQRT', ['a'], true],
  ['Reciprocal', ['a'], true],
  ['LOG', ['a'], true],
  ['Div', ['b', 'a'], true],
  ['DIV', ['a', 'b'], false],
  ['Div', ['a', 'a'], false],
  ['Mul', ['b', 'a'], false],
])('%s of %j divides by a, or is infinite where it is 0: %s', (op, inputs, divides) => {
  expect(divisorsOf([{ op, inputs, outputs: ['y'] }], new Set(['y'])).has('a')).toBe(divides);
});

const node = (op: string, inputs: string[], output: string) => ({ op, inputs, outputs: [output] });
const length = [
  node('MUL', ['x', 'x'], 'square'),
  node('MEAN', ['square'], 'mean'),
  node('ADD', ['mean', 'eps'], 'sum'),
];

it('what is added up for a divisor is one, unless something else reads it too', () => {
  const all = [...length, node('RSQRT', ['sum'], 'inverse')];
  expect([...divisorsOf(all, new Set(['inverse']))].sort()).toEqual(['eps', 'mean', 'square', 'sum']);
  expect(divisorsOf(all, new Set(['inverse', 'mean']))).toEqual(new Set(['sum', 'eps']));
  expect(divisorsOf([...all, node('RELU', ['square'], 'r')], new Set(['r'])).has('square')).toBe(false);
});

it('a reciprocal times a constant is one, and times a computed value is none', () => {
  const all = [
    node('Reciprocal', ['x'], 'a'),
    node('Mul', ['a', 'c'], 'b'),
    node('Mul', ['b', 'x'], 'y'),
    node('Div', ['c', 'x'], 'd'),
  ];
  expect(reciprocalsOf(all, (name) => name === 'c')).toEqual(new Set(['a', 'b', 'd']));
});
