import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../../support/losses.ts';
import { regression } from '../../../src/answers/numbers/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

/** Student, teacher, label and weight of three samples of two numbers. */
const S = [[1, 2], [0, 0], [3, 1]]; // prettier-ignore
const T = [[1, 1.5], [2, 2], [0, 0]]; // prettier-ignore
const Y = [[1, 1], [1, 0], [0, 1]]; // prettier-ignore
const W = [1, 2, 0.5];
const task = regression({ classNames: ['a', 'b'] });

function computed(name: 'mse' | 'bounded', hyper: Record<string, number>): { value: number; gradient: number[] } {
  const loss = createLoss(name, { hyper, ofLabels: {} });
  const result = tf.valueAndGrad((student: tf.Tensor) => {
    const scalars = Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)] as const);
    return loss.compute({
      ...{ task, studentLogits: student as tf.Tensor2D, teacherLogits: tf.tensor2d(T), targets: tf.tensor2d(Y) },
      ...{ weights: tf.tensor1d(W), studentFeatures: {}, teacherFeatures: {}, hyper: Object.fromEntries(scalars) },
    }).loss;
  })(tf.tensor2d(S));
  return { value: result.value.dataSync()[0]!, gradient: [...result.grad.dataSync()] };
}

const squared = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length;
const mean = (values: readonly number[]): number => values.reduce((sum, value, i) => sum + value * W[i]!, 0) / 3.5;

describe('mse', () => {
  it('is the squared difference from the teacher and from the labels', () => {
    const expected = 0.3 * mean(S.map((s, i) => squared(s, Y[i]!))) + 0.7 * mean(S.map((s, i) => squared(s, T[i]!)));
    expect(computed('mse', { alpha: 0.7 }).value).toBeCloseTo(expected, 5);
  });
});

describe('bounded', () => {
  const own = S.map((s, i) => squared(s, Y[i]!));
  const its = T.map((t, i) => squared(t, Y[i]!));

  it.each([0, 0.2, 2.5])(
    'adds the error of samples that are not better than the teacher by the margin %d',
    (margin) => {
      const bound = mean(own.map((error, i) => (error + margin > its[i]! ? error : 0)));
      const { value, gradient } = computed('bounded', { boundWeight: 0.5, margin });
      expect(value).toBeCloseTo(mean(own) + 0.5 * bound, 5);
      gradient.forEach((slope, at) => {
        const [i, c] = [Math.floor(at / 2), at % 2];
        const times = own[i]! + margin > its[i]! ? 1.5 : 1;
        expect(slope).toBeCloseTo((times * W[i]! * (S[i]![c]! - Y[i]![c]!)) / 3.5, 5);
      });
    },
  );

  it('is the loss with the labels alone where the teacher is worse throughout', () => {
    expect(its[1]).toBeGreaterThan(own[1]!);
    expect(computed('bounded', { boundWeight: 0, margin: 0 }).value).toBeCloseTo(mean(own), 5);
  });
});
