import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../../support/losses.ts';
import { detection } from '../../../src/answers/boxes/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

/** Distance of two tensors of one channel, of a student [places] and a teacher, on a picture of 32×32: levels of 4×4, 2×2 and one place. */
function distance(size: number, student: readonly number[], teacher: readonly number[], logits: readonly number[]) {
  const task = detection({ classNames: ['cat', 'dog'], sampleShape: [32, 32, 3] });
  const shape = [size, size, 1];
  const loss = createLoss('frs', {
    features: [{ student: 's', teacher: 't', studentShape: shape, teacherShape: shape }],
  });
  const kernel = Object.values(loss.variables).find(({ shape: dims }) => dims.length === 2)!;
  kernel.assign(tf.tensor2d([[1]]));
  const feature = (values: readonly number[]) => tf.tensor4d([...values], [1, size, size, 1]);
  // Two classes, of which the second is unlikely everywhere.
  const rows = tf.tensor2d(logits.map((logit) => [0, 0, 1, 1, logit, -50]));
  const one = tf.tensor1d([1]);
  const { parts } = loss.compute({
    ...{
      task,
      studentLogits: rows,
      teacherLogits: rows,
      targets: tf.zeros([21, 7]),
      weights: tf.ones([21]),
      samples: one,
    },
    ...{ studentFeatures: { s: feature(student) }, teacherFeatures: { t: feature(teacher) } },
    hyper: Object.fromEntries(Object.entries(loss.hyper).map(([name, value]) => [name, tf.scalar(value)])),
  });
  return parts['frs']!.dataSync()[0]!;
}

/** Logits of all points: unlikely, but for those of the second level. */
const levels = (second: readonly number[]): number[] => [...Array<number>(16).fill(9), ...second, 9];

it('weighs the squared differences of a level by the class scores of the teacher there', () => {
  const apart = [[1, 2, 3, 4], [1, 4, 3, 0]] as const; // prettier-ignore
  // The second place is likely, the last one is not.
  expect(distance(2, ...apart, levels([-50, 50, 50, -50]))).toBeCloseTo(4 / 2, 5);
  expect(distance(2, ...apart, levels([0, -50, -50, 0]))).toBeCloseTo((0.5 * 16) / 1, 5);
  // Where the teacher sees nothing, nothing counts.
  expect(distance(2, ...apart, levels([-50, -50, -50, -50]))).toBeCloseTo(0, 5);
});

it('refuses tensors of another size than the levels', () => {
  const values = Array<number>(9).fill(0);
  expect(() => distance(3, values, values, levels([0, 0, 0, 0]))).toThrow(
    'distill.loss: frs compares tensors of the size of a level, 4×4, 2×2, 1×1, received t [3, 3, 1] of the teacher and s [3, 3, 1] of the student',
  );
});
