import * as tf from '@tensorflow/tfjs-core';
import { unitRows } from '../../../src/trace/ops/unit-rows.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

it('divides rows by their lengths, and leaves zeros as they are', () => {
  const rows = unitRows(tf.tensor2d([[3, 4], [0, 0], [-1e-3, 0]])); // prettier-ignore
  [0.6, 0.8, 0, 0, -1, 0].forEach((value, i) => expect(rows.dataSync()[i]).toBeCloseTo(value, 5));
});

it('has the gradient of a direction: none along the row', () => {
  const gradient = tf.grad((x) => tf.sum(tf.mul(unitRows(x as tf.Tensor2D), tf.tensor2d([[1, 0]]))));
  const found = gradient(tf.tensor2d([[0, 2]])).dataSync();
  expect([found[0], found[1]]).toEqual([expect.closeTo(0.5, 5), expect.closeTo(0, 6)]);
});
