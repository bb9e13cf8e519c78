import * as tf from '@tensorflow/tfjs-core';
import { pointDivergence, pointLoss } from '../../../src/answers/boxes/box-loss.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const entropy = (logit: number, target: number): number => {
  const p = 1 / (1 + Math.exp(-logit));
  return -(target * Math.log(p) + (1 - target) * Math.log(1 - p));
};

describe('the loss of points', () => {
  const answers = [
    [0.1, 0.2, 0.5, 0.6, 2, -1],
    [0.1, 0.2, 0.5, 0.6, -3, 0.5],
  ];
  // The first learns a box with a score of 0.8, the second that there is none.
  const targets = [
    [0.2, 0.2, 0.6, 0.8, 0, 0.8, 3],
    [0, 0, 0, 0, 0, 0, 2],
  ];
  const loss = (): number[] => Array.from(pointLoss(tf.tensor2d(answers), tf.tensor2d(targets)).dataSync());

  it('is the entropy of scores, with overlap and distance of boxes', () => {
    // Intersection 0.3 · 0.4, areas 0.16 and 0.24, hull 0.5 · 0.6.
    const union = 0.16 + 0.24 - 0.12;
    const apart = 1 - 0.12 / union + (0.3 - union) / 0.3;
    const boxes = 2 * apart + 5 * (0.1 + 0 + 0.1 + 0.2);
    const [first, second] = loss() as [number, number];
    expect(first).toBeCloseTo(3 * (entropy(2, 0) + entropy(-1, 0.8) + 0.8 * boxes), 5);
    expect(second).toBeCloseTo(2 * (entropy(-3, 0) + entropy(0.5, 0)), 5);
  });

  it('has finite gradients for boxes without a size and logits of any size', () => {
    const odd = tf.tensor2d([
      [0.3, 0.3, 0.3, 0.3, 90, -90],
      [0.9, 0.9, 0.1, 0.1, 0, 0],
    ]);
    const gradient = tf.grad((x) => tf.sum(pointLoss(x as tf.Tensor2D, tf.tensor2d(targets))));
    expect(Array.from(gradient(odd).dataSync()).every(Number.isFinite)).toBe(true);
  });
});

describe('the divergence from a teacher', () => {
  const teacher = [
    [0.1, 0.2, 0.5, 0.6, 2, -1],
    [0.1, 0.2, 0.5, 0.6, -6, -7],
  ];
  const of = (student: number[][], temperature = 1): number[] =>
    Array.from(pointDivergence(tf.tensor2d(teacher), tf.tensor2d(student), tf.scalar(temperature), 2).dataSync());

  it('is 0 for the same answers', () => {
    for (const temperature of [1, 3]) of(teacher, temperature).forEach((value) => expect(value).toBeCloseTo(0, 6));
  });

  it('weighs boxes by the score that the teacher gives them', () => {
    const moved = teacher.map(([, ...rest]) => [0.2, ...rest]);
    const [first, second] = of(moved) as [number, number];
    // Of 0.16, a quarter is lost; the hull is the teacher's box.
    const boxes = 2 * 0.25 + 5 * 0.1;
    const sure = (logit: number): number => 1 / (1 + Math.exp(-logit));
    const sum = Math.max(1, sure(2) + sure(-6));
    expect(first).toBeCloseTo((2 * sure(2) * boxes) / sum, 5);
    expect(second).toBeCloseTo((2 * sure(-6) * boxes) / sum, 5);
  });
});
