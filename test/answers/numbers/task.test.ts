import * as tf from '@tensorflow/tfjs-core';
import { regression } from '../../../src/answers/numbers/task.ts';
import { gainOf, isBetter } from '../../../src/tasks/score.ts';
import { scoreOfTask } from '../../../src/tasks/registry.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

/** Two numbers of very different size, four samples. */
const LABELS = Float32Array.of(1000, 0.1, 1010, 0.3, 1020, 0.2, 1030, 0.4);
const ANSWERS = Float32Array.of(1002, 0.1, 1006, 0.4, 1020, 0.2, 1040, 0.2);
const NAMES = ['pressure', 'share'];
const scaling = { mean: [1015, 0.25], std: [Math.sqrt(125), Math.sqrt(0.0125)] };
const task = regression({ classNames: NAMES, scaling });
const rows = (values: Float32Array): tf.Tensor2D => tf.tensor2d(values, [4, 2]);

describe('regression', () => {
  it('says MAE, RMSE, R² and bias of each number in the units of the label', () => {
    const { errors } = task.describe(ANSWERS, LABELS);
    const [pressure, share] = errors!.rows;
    // Errors 2, -4, 0, 10 and 0, 0.1, 0, -0.2; squares about the mean 500 and 0.05.
    expect(pressure).toMatchObject({ name: 'pressure', mae: 4, bias: 2 });
    expect(pressure!.rmse).toBeCloseTo(Math.sqrt(30), 6);
    expect(pressure!.r2).toBeCloseTo(1 - 120 / 500, 6);
    expect(share!.mae).toBeCloseTo(0.075, 6);
    expect(share!.rmse).toBeCloseTo(Math.sqrt(0.0125), 6);
    expect(share!.r2).toBeCloseTo(1 - 0.05 / 0.05, 5);
    expect(errors!.points[1]).toHaveLength(4);
  });

  it('has no R² of labels that are all the same', () => {
    const constant = regression({ classNames: ['a'], scaling: { mean: [1], std: [1] } });
    expect(constant.describe(Float32Array.of(1, 2), Float32Array.of(1, 1)).errors!.rows[0]!.r2).toBeNull();
  });

  it('has the score of the sums that a step gives', () => {
    const outputs = task.forLoss(rows(ANSWERS));
    const targets = task.targets({ targets: rows(LABELS) }, 'none');
    const sums = Object.entries(task.sums(outputs, targets, tf.ones([4])));
    const score = task.scoreOf(ANSWERS, LABELS);
    expect(score).toBeCloseTo((Math.sqrt(30) + Math.sqrt(0.0125)) / 2, 5);
    expect(task.scoreOfSums(Object.fromEntries(sums.map(([name, sum]) => [name, sum.dataSync()[0]!])), 4)).toBeCloseTo(
      score,
      4,
    );
  });

  it('gives losses numbers of one size, whatever their units', () => {
    const loss = task.loss(task.forLoss(rows(ANSWERS)), task.targets({ targets: rows(LABELS) }, 'none'), {});
    const expected = [(4 / 125 + 0) / 2, (16 / 125 + 0.01 / 0.0125) / 2, 0, (100 / 125 + 0.04 / 0.0125) / 2];
    loss.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
  });

  it('counts errors beyond `huber` straight', () => {
    const plain = regression({ classNames: ['a'] });
    const error = tf.tensor2d([[-3], [-0.5], [0], [0.5], [3]]);
    const loss = plain.loss(error, tf.zeros([5, 1]), { huber: tf.scalar(1) });
    expect([...loss.dataSync()]).toEqual([2.5, 0.125, 0, 0.125, 2.5]);
  });

  it('mixes targets as mixup does', () => {
    const mixed = task.targets(
      { targets: rows(LABELS), partners: tf.tensor1d([1, 0, 3, 2], 'int32'), lambda: tf.tensor1d([0.25, 1, 1, 1]) },
      'partners',
    );
    const own = task.targets({ targets: rows(LABELS) }, 'none').dataSync();
    expect(mixed.dataSync()[0]).toBeCloseTo(0.25 * own[0]! + 0.75 * own[2]!, 5);
    expect(mixed.dataSync()[2]).toBeCloseTo(own[2]!, 5);
  });

  it('refuses a label that is no number', () => {
    expect(() => task.fed(Float32Array.of(1, 2, 3, NaN), 'epoch 1, batch 1')).toThrow(
      'epoch 1, batch 1: the label of sample 1 is NaN, expected a finite number',
    );
  });

  it('tells a teacher that knows something from the mean of the labels, for every number', () => {
    expect(task.skill(LABELS, LABELS)).toMatchObject({ score: 0, isBetter: true });
    // The second number is no better than its mean.
    const half = ANSWERS.map((value, i) => (i === 7 ? 0.1 : value));
    expect(task.skill(half, LABELS).isBetter).toBe(false);
    expect(task.skill(half, LABELS).chance).toBe('the mean of the labels alone gives 5.646');
  });

  it('tells worse answers from others by more than chance', () => {
    const labels = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i));
    const one = regression({ classNames: ['a'], scaling: { mean: [0], std: [1] } });
    const off = (by: number): Float32Array => labels.map((value, i) => value + by * Math.cos(3 * i));
    expect(one.isWorse(off(0.5), off(0.1), labels)).toBe(true);
    expect(one.isWorse(off(0.1), off(0.5), labels)).toBe(false);
    expect(one.isWorse(off(0.5), off(-0.5), labels)).toBe(false);
  });

  it('has a loud word for answers that do not depend on the sample', () => {
    const labels = Float32Array.from({ length: 20 }, (_, i) => i);
    const one = regression({ classNames: ['age'], scaling: { mean: [10], std: [5] } });
    expect(one.stuck('m.onnx', new Float32Array(20).fill(3), labels)).toMatch(
      /^m.onnx: answers nearly the same number for age/,
    );
    expect(one.stuck('m.onnx', labels, labels)).toBeUndefined();
  });
});

describe('a score of which less is better', () => {
  it('is better, gains and loses the other way round', () => {
    expect(isBetter(scoreOfTask('regression'), 3, 4)).toBe(true);
    expect(gainOf(scoreOfTask('regression'), 3, 4)).toBe(1);
    expect(scoreOfTask('regression').lost(4, 5)).toBeCloseTo(25);
    expect(scoreOfTask('regression').lossText(25)).toBe('25.00 % of validation RMSE');
    expect(scoreOfTask('regression').lost(0, 0)).toBe(0);
    expect(scoreOfTask('regression').change(-0.5)).toBe('-0.5');
    expect(scoreOfTask('regression').text(58.2234)).toBe('58.22');
  });
});
