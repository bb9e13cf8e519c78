import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { muonColumns, orthogonalized } from '../../../src/train/optimizers/muon.ts';
import { createOptimizer } from '../../../src/train/optimizers/optimizers.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const drawn = (name: string, size: number): number[] => {
  const random = new RandomStream(1, 'muon', name);
  return Array.from({ length: size }, () => random.normal());
};

type Matrix = readonly (readonly number[])[];
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
const transposed = (a: Matrix): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));

/** Jordan's iteration as he has it, for matrices with at least as many columns as rows, in double precision. */
function reference(matrix: Matrix): number[][] {
  if (matrix.length > matrix[0]!.length) return transposed(reference(transposed(matrix)));
  const norm = Math.hypot(...matrix.flat());
  let x: Matrix = matrix.map((row) => row.map((value) => value / (norm + 1e-7)));
  for (let step = 0; step < 5; step++) {
    const a = product(x, transposed(x));
    const squared = product(a, a);
    const b = a.map((row, i) => row.map((value, j) => -4.775 * value + 2.0315 * squared[i]![j]!));
    const bx = product(b, x);
    x = x.map((row, i) => row.map((value, j) => 3.4445 * value + bx[i]![j]!));
  }
  return x.map((row) => [...row]);
}

const rowsOf = (values: readonly number[], columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) => values.slice(i * columns, (i + 1) * columns));

it.each([
  { shape: [3, 3, 2, 4], rows: 18, columns: 4 },
  { shape: [1, 1, 3, 8], rows: 3, columns: 8 },
])('makes the matrix of a filter $shape orthogonal, as large as an update of Adam', ({ shape, rows, columns }) => {
  const values = drawn(shape.join(), rows * columns);
  const result = [...orthogonalized(tf.tensor(values, shape), columns).dataSync()];
  const factor = 0.2 * Math.sqrt(Math.max(rows, columns));
  reference(rowsOf(values, columns))
    .flat()
    .forEach((value, i) => expect(result[i]).toBeCloseTo(factor * value, 4));
  const mean = Math.sqrt(result.reduce((sum, value) => sum + value ** 2, 0) / result.length);
  expect(mean).toBeGreaterThan(0.14);
  expect(mean).toBeLessThan(0.25);
});

it('leaves a filter without a gradient where it is', () => {
  expect([...orthogonalized(tf.zeros([3, 3, 1, 2]), 2).dataSync()].every((value) => value === 0)).toBe(true);
});

it('takes full convolutions alone for matrices', () => {
  expect([[16], [64, 10], [3, 3, 16, 1], [3, 3, 16, 32]].map(muonColumns)).toEqual([
    undefined,
    undefined,
    undefined,
    32,
  ]);
});

it('moves filters along the orthogonal momentum, and everything else as adamw does', () => {
  const [shape, rate, decay] = [[2, 2, 1, 3], 0.1, 0.5];
  const start = drawn('start', 12);
  const gradients = [drawn('first', 12), drawn('second', 12)];
  const trained = (type: 'muon' | 'adamw'): { filter: number[]; matrix: number[] } => {
    const variables = { filter: tf.variable(tf.tensor(start, shape)), matrix: tf.variable(tf.tensor2d(start, [4, 3])) };
    const optimizer = createOptimizer({ type, weightDecay: decay }, variables);
    expect('adam.v/filter' in optimizer.slots).toBe(type === 'adamw');
    gradients.forEach((gradient, step) => {
      const values = optimizer.feedValues(step, rate);
      const feeds = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tf.scalar(value[0]!)]));
      optimizer.apply({ filter: tf.tensor(gradient, shape), matrix: tf.tensor2d(gradient, [4, 3]) }, feeds);
    });
    return { filter: [...variables.filter.dataSync()], matrix: [...variables.matrix.dataSync()] };
  };
  const { filter, matrix } = trained('muon');
  expect(matrix).toEqual(trained('adamw').matrix);
  let [buffer, expected] = [start.map(() => 0), start];
  for (const gradient of gradients) {
    buffer = buffer.map((value, i) => 0.9 * value + gradient[i]!);
    const ahead = buffer.map((value, i) => 0.9 * value + gradient[i]!);
    const direction = reference(rowsOf(ahead, 3)).flat();
    expected = expected.map((value, i) => value * (1 - rate * decay) - rate * 0.2 * 2 * direction[i]!);
  }
  expected.forEach((value, i) => expect(filter[i]).toBeCloseTo(value, 4));
});
