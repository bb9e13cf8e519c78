import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../../support/losses.ts';
import { lossInput } from '../../../src/train/step/step.ts';
import { embedding } from '../../../src/answers/vector/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const of = (classNames: readonly string[], size: number, prefixes: readonly number[] = []) =>
  embedding({ classNames, vector: { size, prefixes } });
const ANSWERS = Float32Array.of(1, 0, 0.9, 0.1, 0, 1, 0.1, 0.9);
const CLASSES = Float32Array.of(0, 0, 1, 1);

describe('with classes', () => {
  const task = of(['a', 'b'], 2);

  it('scores the nearest other sample', () => {
    expect(task.scoreOf(ANSWERS, CLASSES)).toBe(1);
    expect(task.scoreOf(ANSWERS, Float32Array.of(0, 1, 0, 1))).toBe(0);
    expect(task.ignorance(CLASSES)).toBeCloseTo(1 / 3, 12);
  });

  it('has the same score of what processes collect', () => {
    const { width, of: rows, scoreOf } = task.collects!;
    const collected = rows(ANSWERS, CLASSES);
    expect(collected).toHaveLength(4 * width);
    expect(scoreOf(collected)).toBe(1);
  });

  it('describes each size and number format', () => {
    const { vectors } = of(['a', 'b'], 2, [1]).describe(ANSWERS, CLASSES);
    expect(vectors!.rows.map(({ size, precision, bytes }) => [size, precision, bytes])).toEqual([
      ...[[1, 'float32', 4], [1, 'int8', 1], [1, 'binary', 1]],
      ...[[2, 'float32', 8], [2, 'int8', 2], [2, 'binary', 1]],
    ]); // prettier-ignore
    expect(vectors!.rows[3]).toMatchObject({ recall1: 1, recall5: 1, map: 1 });
  });

  it('names the nearest samples', () => {
    expect(task.textOf(ANSWERS, 0, CLASSES)).toBe('a (0.99), b (0.11), b (0.00)');
    expect(task.labelText(CLASSES, 2)).toBe('b');
    expect(task.labelText(Float32Array.of(-1), 0)).toBe('unknown');
  });

  it('knows a teacher that is no better than chance', () => {
    const many = Float32Array.from({ length: 80 }, (_, i) => Math.cos(7 * i * i));
    const classes = Float32Array.from({ length: 40 }, (_, i) => i % 2);
    expect(task.skill(many, classes).isBetter).toBe(false);
    const apart = Float32Array.from({ length: 80 }, (_, i) => ((i >> 1) % 2 === i % 2 ? 1 : 0.01 * Math.cos(i)));
    expect(task.skill(apart, classes)).toMatchObject({ score: 1, isBetter: true });
    expect(task.isWorse(many, apart, classes)).toBe(true);
    expect(task.isWorse(apart, many, classes)).toBe(false);
  });

  it('warns of vectors that are all nearly the same', () => {
    const same = Float32Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 5 : 0.01 * Math.sin(i)));
    expect(task.stuck('m', same, CLASSES, 'why')).toBe('m: gives nearly the same vector to all of 20 samples; why');
    expect(task.stuck('m', same.map((value, i) => (i === 0 ? -9 : value)), CLASSES)).toBeUndefined(); // prettier-ignore
  });
});

describe('without classes', () => {
  const task = of([], 2);

  it('takes the vectors of a teacher as targets, of length 1', () => {
    const targets = task.asTargets(Float32Array.of(3, 4, 0, -2));
    expect([...targets]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, -1]);
    expect(task.targetWidth).toBe(2);
  });

  it('loses what the cosine lacks to 1', () => {
    const targets = tf.tensor2d([
      [1, 0],
      [0, 1],
    ]);
    const loss = task.loss(
      task.forLoss(
        tf.tensor2d([
          [2, 0],
          [3, 3],
        ]),
      ),
      task.targets({ targets }, 'none'),
      {},
    );
    expect([...loss.dataSync()].map((value) => Number(value.toFixed(5)))).toEqual([0, 0.29289]);
  });
});

it('compares prefixes of length 1 as vectors of their own, which weigh as the sample in sum', () => {
  const task = of(['a', 'b'], 4, [2]);
  const student = tf.tensor2d([
    [3, 4, 0, 0],
    [0, 1, 0, 1],
  ]);
  const teacher = tf.tensor2d([
    [0, 1, 0, 0],
    [0, 2, 0, 0],
  ]);
  const loss = createLoss('cosine', { hyper: { alpha: 1 }, ofLabels: {} });
  const feeds = { teacherLogits: teacher, 'hyper/alpha': tf.scalar(1) };
  const given = {
    ...{ studentLogits: task.forLoss(student), targets: tf.tensor2d([[0], [1]]) },
    ...{ weights: tf.tensor1d([1, 3]), studentFeatures: {} },
  };
  const input = lossInput(loss, task, feeds, given);
  expect(input.studentLogits.shape).toEqual([4, 4]);
  expect([...input.weights.dataSync()]).toEqual([0.5, 1.5, 0.5, 1.5]);
  // Prefix: 1 - 0.8 and 0; whole: 1 - 0.8 and 1 - √½.
  const expected = (0.5 * 0.2 + 1.5 * 0 + 0.5 * 0.2 + 1.5 * (1 - Math.SQRT1_2)) / 4;
  expect(loss.compute(input).loss.dataSync()[0]).toBeCloseTo(expected, 5);
});
