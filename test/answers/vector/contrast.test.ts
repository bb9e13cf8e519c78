import { unitVectors } from '../../../src/base/math/vectors.ts';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { supervisedContrast } from '../../../src/answers/vector/contrast.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const [BATCH, WIDTH] = [6, 3];
const random = new RandomStream('contrast');
const drawn = (): Float32Array =>
  unitVectors({ values: Float32Array.from({ length: BATCH * WIDTH }, () => random.normal()), width: WIDTH }).values;

/** Equation 2 of the paper in double precision. */
function exact(z: Float32Array, classes: readonly number[]): number[] {
  const dot = (i: number, j: number): number =>
    Array.from({ length: WIDTH }, (_, k) => z[i * WIDTH + k]! * z[j * WIDTH + k]!).reduce(
      (sum, value) => sum + value,
      0,
    ) / 0.1;
  const rows = classes.map((_, i) => i);
  return rows.map((i) => {
    if (classes[i]! < 0) return 0;
    const others = rows.filter((j) => j !== i && classes[j]! >= 0);
    const positives = others.filter((j) => classes[j] === classes[i]);
    if (positives.length === 0) return 0;
    const all = Math.log(others.reduce((sum, j) => sum + Math.exp(dot(i, j)), 0));
    return -positives.reduce((sum, j) => sum + dot(i, j) - all, 0) / positives.length;
  });
}

it.each([
  [[0, 1, 0, 1, 2, 0]],
  [[0, 0, -1, 1, 1, -1]],
  [[0, 0, 0, 0, 0, 0]],
  [[-1, -1, -1, -1, -1, -1]],
  [[0, 1, 2, 3, 4, 5]],
])('is the loss of the paper for classes %j, group by group', (classes) => {
  const groups = [drawn(), drawn()];
  const vectors = tf.tensor2d(Float32Array.from(groups.flatMap((values) => [...values])), [2 * BATCH, WIDTH]);
  const loss = supervisedContrast(vectors, tf.tensor2d([...classes, ...classes], [2 * BATCH, 1]), 2);
  const expected = groups.flatMap((values) => exact(values, classes));
  loss.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
});

it('has a finite gradient, also without others to compare with', () => {
  const gradient = tf.grad((vectors) => tf.sum(supervisedContrast(vectors as tf.Tensor2D, tf.tensor2d([[0], [1]]), 1)));
  expect(
    [
      ...gradient(
        tf.tensor2d([
          [1, 0],
          [0, 1],
        ]),
      ).dataSync(),
    ].every(Number.isFinite),
  ).toBe(true);
});
