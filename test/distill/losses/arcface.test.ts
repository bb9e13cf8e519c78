import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../../support/losses.ts';
import { embedding } from '../../../src/answers/vector/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const task = embedding({ classNames: ['a', 'b'], vector: { size: 2, prefixes: [] } });
const lossOf = (angles: readonly number[], labels: readonly number[], margin: number): number => {
  const answers = { width: 2, groups: 1, classes: 2 };
  const loss = createLoss('ce', { ofLabels: task.labelNumbers({ labelSmoothing: 0, arcface: margin }), answers });
  // Centres of other lengths, at 0 and at π.
  loss.variables['arcface/centres']!.assign(
    tf.tensor3d([
      [
        [3, 0],
        [-0.2, 0],
      ],
    ]),
  );
  const { parts } = loss.compute({
    ...{ task, studentLogits: tf.tensor2d(angles.map((angle) => [Math.cos(angle), Math.sin(angle)])) },
    ...{ targets: tf.tensor2d([...labels], [labels.length, 1]), weights: tf.ones([labels.length]) },
    ...{ studentFeatures: {}, teacherFeatures: {}, hyper: { arcface: tf.scalar(margin) } },
  });
  expect(Object.keys(parts)).toEqual(['arcface']);
  return parts['arcface']!.dataSync()[0]!;
};
const entropy = (own: number, other: number): number => Math.log1p(Math.exp(64 * (other - own)));

it('adds the margin to the angle from the centre of the class, however long the vector of the centre is', () => {
  const angle = 1.5;
  const expected = entropy(Math.cos(angle + 0.2), -Math.cos(angle));
  expect(lossOf([angle], [0], 0.2)).toBeCloseTo(expected, 4);
  expect(lossOf([Math.PI - angle], [1], 0.2)).toBeCloseTo(expected, 4);
});

it('goes on beyond π as a line, so that a larger angle costs more', () => {
  const expected = entropy(Math.cos(3) - 0.5 * Math.sin(0.5), -Math.cos(3));
  expect(lossOf([3], [0], 0.5)).toBeCloseTo(expected, 3);
  expect(lossOf([3.1], [0], 0.5)).toBeGreaterThan(expected);
});

it('leaves samples of an unknown class out', () => {
  expect(lossOf([1.5, 1], [0, -1], 0.2)).toBeCloseTo(lossOf([1.5], [0], 0.2) / 2, 5);
});
