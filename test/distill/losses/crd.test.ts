import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../../support/losses.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { withRandomSource } from '../../../src/trace/random.ts';
import type { LossInput } from '../../../src/train/step/loss.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const NUMBERS = { negatives: 2, size: 2, contrastTemperature: 0.5, momentum: 0.3 };
const FEATURES = {
  student: [
    [1, 2, -1],
    [0, 1, 3],
    [2, -2, 1],
  ],
  teacher: [
    [1, 1],
    [-1, 2],
    [0.5, -2],
  ],
};
type Side = keyof typeof FEATURES;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const unit = (row: readonly number[]): number[] => row.map((x) => x / Math.sqrt(dot(row, row)));

/** Three samples of three classes in one batch: the negatives of each are the two others. */
function setup() {
  const pair = { student: 'a', teacher: 'b', studentShape: [3], teacherShape: [2] };
  const samples = { labels: Int32Array.of(0, 1, 2), classes: 3 };
  const loss = createLoss('crd', { features: [pair], hyper: NUMBERS, seed: 3, samples });
  const of = (side: Side, part: string): tf.Variable =>
    ({ ...loss.variables, ...loss.memory })[`crd/a:b/${side}/${part}`]!;
  const embedded = (side: Side): number[][] => {
    const kernel = of(side, 'kernel').arraySync() as number[][];
    return FEATURES[side].map((row) =>
      unit(
        [0, 1].map((c) =>
          dot(
            row,
            kernel.map((weights) => weights[c]!),
          ),
        ),
      ),
    );
  };
  const logits = tf.zeros<tf.Rank.R2>([3, 3]);
  const input: LossInput = {
    ...{ task: classification(3), studentLogits: logits, teacherLogits: logits },
    targets: tf.oneHot(tf.tensor1d([0, 1, 2], 'int32'), 3, 1, 0, 'float32') as tf.Tensor2D,
    weights: tf.tensor1d([1, 1, 1]),
    studentFeatures: { a: tf.tensor2d(FEATURES.student) },
    teacherFeatures: { b: tf.tensor2d(FEATURES.teacher) },
    rows: tf.tensor1d([0, 1, 2], 'int32'),
    hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
  };
  // Of the two other samples each sample draws the first and the second.
  const draw = (_: string, [rows]: readonly number[]): Float32Array =>
    Float32Array.from({ length: 2 * rows! }, (_value, i) => (i % 2) / 2);
  const value = (): number => withRandomSource(draw, () => loss.compute(input).parts['crd']!.dataSync()[0]!);
  return { of, embedded, value };
}

/** The sum of ℓ over the samples, and Z, which is that of the first batch where it is known. */
function contrast(own: readonly number[][], bank: readonly number[][], known?: number): { sum: number; z: number } {
  const raw = own.map((e) => bank.map((m) => Math.exp(dot(e, m) / NUMBERS.contrastTemperature)));
  const z = known ?? (3 * raw.flat().reduce((sum, value) => sum + value, 0)) / 9;
  const noise = 2 / 3;
  const of = (value: number, isOwn: boolean): number => -Math.log((isOwn ? value / z : noise) / (value / z + noise));
  return { sum: raw.flatMap((row, i) => row.map((value, k) => of(value, i === k))).reduce((a, b) => a + b, 0), z };
}

it('crd tells each sample from those of other classes in the memory, which follows, by the Z of the first batch', () => {
  const { of, embedded, value } = setup();
  const e = { student: embedded('student'), teacher: embedded('teacher') };
  const bankOf = (side: Side): number[][] => of(side, 'bank').arraySync() as number[][];
  const before = { student: bankOf('student'), teacher: bankOf('teacher') };
  const [s, t] = [contrast(e.student, before.teacher), contrast(e.teacher, before.student)];
  expect(value()).toBeCloseTo((s.sum + t.sum) / 3, 4);
  for (const side of ['student', 'teacher'] as const)
    before[side].forEach((row, i) => {
      const after = unit(row.map((m, c) => NUMBERS.momentum * m + (1 - NUMBERS.momentum) * e[side][i]![c]!));
      bankOf(side)[i]!.forEach((m, c) => expect(m).toBeCloseTo(after[c]!, 5));
    });
  const now = { student: bankOf('student'), teacher: bankOf('teacher') };
  const second = contrast(e.student, now.teacher, s.z).sum + contrast(e.teacher, now.student, t.z).sum;
  expect(value()).toBeCloseTo(second / 3, 4);
});
