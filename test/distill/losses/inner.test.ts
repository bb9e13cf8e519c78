import * as tf from '@tensorflow/tfjs-core';
import { createLoss, losses } from '../../support/losses.ts';
import type { AnyLoss } from '../../../src/distill/losses/registry.ts';
import { ACROSS_BATCH, LOSSES } from '../../../src/recipe/schema/loss.ts';
import type { LossName } from '../../../src/recipe/schema/loss.ts';
import { isLossFor } from '../../../src/recipe/task.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { withRandomSource } from '../../../src/trace/random.ts';
import type { FeaturePair, Loss } from '../../../src/train/step/loss.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

type Values = number[] | number[][] | number[][][][];

interface Batch {
  readonly student: Values;
  readonly teacher: Values;
  /** Default: all 1. */
  readonly weights?: number[];
}

const featureLosses = (Object.keys(LOSSES) as LossName[]).filter(
  (name) => losses[name].needs === 'features' && isLossFor(name, 'classification'),
);

function make(name: AnyLoss, { student, teacher }: Batch, hyper: Record<string, number> = {}): Loss {
  const shapeOf = (values: Values): number[] => tf.tensor(values).shape.slice(1);
  const pair: FeaturePair = {
    ...{ student: 'a', teacher: 'b' },
    ...{ studentShape: shapeOf(student), teacherShape: shapeOf(teacher) },
  };
  const sizes = name === 'crd' ? { negatives: 3, size: 4 } : {};
  return createLoss(name, { features: [pair], hyper: { ...sizes, ...hyper }, seed: 3, samples: SAMPLES });
}

/** Samples of the batch and two of another class. */
const SAMPLES = { labels: Int32Array.of(0, 0, 0, 0, 1, 1), classes: 2 };

/** A sample that is in the batch twice is the same one. */
const rowsOf = (student: Values): tf.Tensor1D => {
  const texts = student.map((sample) => JSON.stringify(sample));
  return tf.tensor1d(
    texts.map((text) => texts.indexOf(text)),
    'int32',
  );
};

/** Runs `body` with what the loss remembers as it was before, and draws the same numbers for every sample of a memory. */
function untouched<T>({ memory = {} }: Loss, body: () => T): T {
  const before = Object.values(memory).map((variable) => variable.clone());
  if (before.length === 0) return body();
  const draw = (_: string, [rows, columns]: readonly number[]): Float32Array =>
    Float32Array.from({ length: rows! * columns! }, (_value, i) => (i % columns!) / columns!);
  const result = withRandomSource(draw, body);
  Object.values(memory).forEach((variable, i) => variable.assign(before[i]!));
  return result;
}

/** The distance of the inner tensors, and its gradient by the student's, both without KD. */
function distance(loss: Loss, { student, teacher, weights }: Batch): { value: number; gradient: number[] } {
  const rows = student.length;
  const logits = tf.zeros<tf.Rank.R2>([rows, 2]);
  const part = (a: tf.Tensor): tf.Scalar =>
    loss.compute({
      task: classification(2),
      studentLogits: logits,
      teacherLogits: logits,
      targets: tf.oneHot(tf.zeros([rows], 'int32'), 2, 1, 0, 'float32') as tf.Tensor2D,
      weights: tf.tensor1d(weights ?? student.map(() => 1)),
      studentFeatures: { a },
      teacherFeatures: { b: tf.tensor(teacher) },
      rows: rowsOf(student),
      hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
    }).parts[loss.name]!;
  const { value, grad } = untouched(loss, () => tf.valueAndGrad(part)(tf.tensor(student)));
  return { value: value.dataSync()[0]!, gradient: [...grad.dataSync()] };
}

const valueOf = (name: AnyLoss, batch: Batch, hyper?: Record<string, number>): number =>
  distance(make(name, batch, hyper), batch).value;

describe('by hand', () => {
  const column = (...values: number[]): number[][] => values.map((value) => [value]);

  it('pkd is 1 - Pearson correlation of each channel', () => {
    expect(valueOf('pkd', { student: column(1, 2, 4), teacher: column(8, 11, 17) })).toBeCloseTo(0, 5);
    expect(valueOf('pkd', { student: column(1, 2, 4), teacher: column(-1, -2, -4) })).toBeCloseTo(2, 5);
    // From the means: -1, 0, 1 and -1, 2, -1, whose products sum to 0.
    expect(valueOf('pkd', { student: column(1, 2, 3), teacher: column(0, 3, 0) })).toBeCloseTo(1, 5);
  });

  it('cwd is τ² KL of the softmax over the positions', () => {
    const picture = (a: number, b: number): number[][][][] => [[[[a], [b]]]];
    const batch = { student: picture(0, 0), teacher: picture(0, 2 * Math.log(3)) };
    // At τ = 2 the teacher has (¼, ¾), the student (½, ½).
    const kl = 0.25 * Math.log(0.5) + 0.75 * Math.log(1.5);
    expect(valueOf('cwd', batch, { mapTemperature: 2 })).toBeCloseTo(4 * kl, 5);
  });

  it.each([0.7, 20])('vkd turns the student by the rotation that its variable stands for: %f', (angle) => {
    const batch = { student: [[2, 0]], teacher: [[1, 5]] };
    const loss = make('vkd', batch);
    loss.variables['vkd/a:b/skew']!.assign(
      tf.tensor2d([
        [0, angle],
        [0, 0],
      ]),
    );
    // The teacher's two channels become -1 and 1.
    const huber = (x: number): number => (Math.abs(x) < 1 ? (x * x) / 2 : Math.abs(x) - 0.5);
    const expected = (huber(2 * Math.cos(angle) + 1) + huber(2 * Math.sin(angle) - 1)) / 2;
    expect(distance(loss, batch).value).toBeCloseTo(expected, 4);
  });

  it('reviewkd halves the weight with the size of the windows', () => {
    const picture = (of: (y: number, x: number) => number): number[][][][] => [
      [0, 1, 2, 3].map((y) => [0, 1, 2, 3].map((x) => [of(y, x)])),
    ];
    const batch = { student: picture((y, x) => y - x), teacher: picture((y, x) => (y < 2 && x < 2 ? 4 : 0)) };
    const loss = make('reviewkd', batch);
    // What is compared with the teacher is then 0 everywhere.
    loss.variables['reviewkd/a:b/out/scale']!.assign(tf.zeros([1]));
    // Mean squares of the picture, of its averages 4, 0, 0, 0 and of its mean 1.
    expect(distance(loss, batch).value).toBeCloseTo((4 + 4 / 2 + 1 / 4) / (1 + 1 / 2 + 1 / 4), 5);
  });

  it('inner tensors are compared of the samples that the teacher answers, whatever labels are known', () => {
    // Maps of attention (1, 0) beside (0, 1), and equal ones.
    const [student, teacher] = [[[[[1], [0]]], [[[1], [0]]]], [[[[0], [1]]], [[[1], [0]]]]]; // prettier-ignore
    const loss = make('attention', { student, teacher });
    const logits = tf.zeros<tf.Rank.R2>([2, 2]);
    const half = tf.scalar(0.5);
    const valueWith = (...answers: number[]): number =>
      loss
        .compute({
          ...{ task: classification(2), studentLogits: logits, teacherLogits: logits, targets: logits },
          ...{ weights: tf.tensor1d([1, 1]), studentFeatures: { a: tf.tensor4d(student) } },
          teacherFeatures: { b: tf.tensor4d(teacher) },
          partial: {
            ...{ labels: tf.tensor1d([0, 1]), labelShare: half, soft: tf.tensor1d([0, 1]), softShare: half },
            ...{ answers: tf.tensor1d(answers), answerShare: half },
          },
          hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
        })
        .parts['attention']!.dataSync()[0]!;
    expect(valueWith(1, 0)).toBeCloseTo(0.5, 6);
    expect(valueWith(0, 1)).toBeCloseTo(0, 6);
  });

  it('rkd compares the shapes of two triangles: 3-4-5 and equilateral', () => {
    const student = [
      [0, 0],
      [3, 0],
      [0, 4],
    ];
    const teacher = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
    // Distances over their mean: ¾, 1, 5/4 beside 1; cosines: 0, 3/5, 4/5 beside ½.
    const distances = (2 / 3) * (0.25 ** 2 / 2);
    const angles = (0.5 ** 2 + 0.1 ** 2 + 0.3 ** 2) / 2 / 3;
    const numbers = { distanceWeight: 25, angleWeight: 50 };
    expect(valueOf('rkd', { student, teacher }, numbers)).toBeCloseTo(25 * distances + 50 * angles, 4);
  });

  it('rkd takes samples at one place for what they are', () => {
    const student = [
      [1, 2],
      [1, 2],
      [4, 6],
    ];
    const { value, gradient } = distance(make('rkd', { student, teacher: student }), { student, teacher: student });
    expect(value).toBeCloseTo(0, 6);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it('sp compares products of samples, row by row', () => {
    // Rows (1, 2) and (2, 4) become (1, 2)/√5 each; (1, 0) and (0, 0) stay.
    const root = Math.sqrt(5);
    const squares = (1 / root - 1) ** 2 + (2 / root) ** 2 + 1;
    expect(valueOf('sp', { student: column(1, 2), teacher: column(1, 0) })).toBeCloseTo(squares / 4, 5);
  });

  it('mgd masks the channels whose number is below the share, then generates', () => {
    const batch = { student: [[[[2, 3]]]], teacher: [[[[5, 7]]]] };
    const loss = make('mgd', batch, { maskRatio: 0.15 });
    const centre = (): tf.Tensor => {
      const kernel = tf.buffer([3, 3, 2, 2]);
      for (const c of [0, 1]) kernel.set(1, 1, 1, c, c);
      return kernel.toTensor();
    };
    for (const part of ['first', 'second']) loss.variables[`mgd/a:b/${part}/kernel`]!.assign(centre());
    loss.variables['mgd/a:b/second/bias']!.assign(tf.tensor1d([1, -1]));
    const draw = (...numbers: number[]): number =>
      withRandomSource(
        () => Float32Array.from(numbers),
        () => distance(loss, batch).value,
      );
    expect(draw(0.9, 0.9)).toBeCloseTo((2 + 1 - 5) ** 2 + (3 - 1 - 7) ** 2, 4);
    expect(draw(0.1, 0.9)).toBeCloseTo((0 + 1 - 5) ** 2 + (3 - 1 - 7) ** 2, 4);
    expect(draw(0.15, 0.1)).toBeCloseTo((2 + 1 - 5) ** 2 + (0 - 1 - 7) ** 2, 4);
  });
});

/** Pictures [n, 2, 2, channels] of normal numbers. */
function pictures(n: number, key: string, channels = 3): number[][][][] {
  const random = new RandomStream('inner', key);
  const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  return times(n, () => times(2, () => times(2, () => times(channels, () => random.normal()))));
}

describe.each(featureLosses)('%s', (name) => {
  const [student, teacher] = [pictures(4, 'student'), pictures(4, 'teacher')];
  const size = 12;
  const hyper = name === 'mgd' ? { maskRatio: 0 } : {};

  it('does not see samples of weight 0, and gives them no gradient', () => {
    const weights = [1, 0.5, 2];
    const alone = { student: student.slice(0, 3), teacher: teacher.slice(0, 3), weights };
    const padded = { student, teacher, weights: [...weights, 0] };
    const loss = make(name, alone, hyper);
    const [expected, actual] = [distance(loss, alone), distance(loss, padded)];
    const relative = (a: number): number => a / Math.max(1e-3, Math.abs(expected.value));
    expect(relative(actual.value - expected.value)).toBeCloseTo(0, 4);
    const scale = Math.max(...expected.gradient.map(Math.abs));
    expected.gradient.forEach((value, i) => expect((actual.gradient[i]! - value) / scale).toBeCloseTo(0, 4));
    expect(Math.max(...actual.gradient.slice(3 * size).map(Math.abs)) / scale).toBeLessThan(1e-5);
  });

  it('stays finite where all weights are 0 and where a layer is silent', () => {
    const silent = student.map((picture) => picture.map((row) => row.map((pixel) => pixel.map(() => 0))));
    for (const batch of [
      { student, teacher, weights: [0, 0, 0, 0] },
      { student: silent, teacher },
      { student, teacher: silent },
      { student: student.slice(0, 1), teacher: teacher.slice(0, 1) },
    ]) {
      const { value, gradient } = distance(make(name, batch), batch);
      expect(Number.isFinite(value)).toBe(true);
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });

  it('moves what it trains along', () => {
    const batch = { student, teacher: pictures(4, 'wider', 5) };
    const loss = make(name, batch, hyper);
    const variables = Object.values(loss.variables);
    if (variables.length === 0) return;
    const input = {
      task: classification(2),
      studentLogits: tf.zeros<tf.Rank.R2>([4, 2]),
      teacherLogits: tf.zeros<tf.Rank.R2>([4, 2]),
      targets: tf.ones<tf.Rank.R2>([4, 2]),
      weights: tf.ones<tf.Rank.R1>([4]),
      studentFeatures: { a: tf.tensor(student) },
      teacherFeatures: { b: tf.tensor(batch.teacher) },
      rows: rowsOf(student),
      hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
    };
    const { grads } = tf.variableGrads(() => loss.compute(input).loss, variables);
    expect(Object.keys(grads)).toHaveLength(variables.length);
    for (const gradient of Object.values(grads)) expect(Math.max(...tf.abs(gradient).dataSync())).toBeGreaterThan(1e-7);
  });
});

describe.each(featureLosses.filter((name) => name !== 'rkd' && name !== 'mgd'))('%s', (name) => {
  it('counts a sample of weight 2 as two samples', () => {
    const [student, teacher] = [pictures(3, 'student'), pictures(3, 'teacher')];
    const twice = <T>(list: T[]): T[] => [...list, list[0]!];
    const once = { student, teacher, weights: [2, 1, 1] };
    const written = { student: twice(student), teacher: twice(teacher), weights: [1, 1, 1, 1] };
    expect(valueOf(name, once) / valueOf(name, written)).toBeCloseTo(1, 5);
  });
});

it('the recipe says which losses compare the samples of a batch: the others are the mean over the samples', () => {
  const [student, teacher] = [pictures(4, 'student'), pictures(4, 'teacher')];
  const across = featureLosses.filter((name) => {
    const weighing = (weights: number[]): number =>
      valueOf(name, { student, teacher, weights }, name === 'mgd' ? { maskRatio: 0 } : {});
    const alone = student.map((_, i) => weighing(student.map((__, k) => Number(k === i))));
    const mean = alone.reduce((sum, value) => sum + value, 0) / alone.length;
    return Math.abs(weighing([1, 1, 1, 1]) - mean) > 1e-4 * Math.abs(mean);
  });
  expect(across).toEqual(featureLosses.filter((name) => ACROSS_BATCH.has(name)));
  expect(across).not.toEqual([]);
});
