import { unitVectors } from '../../../src/base/math/vectors.ts';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { createLoss } from '../../support/losses.ts';
import { embedding } from '../../../src/answers/vector/task.ts';
import type { LossInput } from '../../../src/train/step/loss.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const [BATCH, WIDTH] = [4, 3];
const HYPER = { alpha: 1, temperature: 0.3, teacherTemperature: 0.1 };
const random = new RandomStream('similarity');
const drawn = (): Float32Array =>
  unitVectors({ values: Float32Array.from({ length: BATCH * WIDTH }, () => random.normal()), width: WIDTH }).values;

/** KL of each row in double precision, mean over the batch. */
function exact(student: Float32Array, teacher: Float32Array, compared: readonly Float32Array[]): number {
  const all = compared.flatMap((values) =>
    Array.from({ length: BATCH }, (_, row) => values.subarray(row * WIDTH, (row + 1) * WIDTH)),
  );
  const shares = (rows: Float32Array, row: number, temperature: number): number[] => {
    const likeness = all.map(
      (other) => other.reduce((sum, value, i) => sum + value * rows[row * WIDTH + i]!, 0) / temperature,
    );
    const powers = likeness.map(Math.exp);
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  };
  const rows = Array.from({ length: BATCH }, (_, row) => {
    const [p, q] = [shares(teacher, row, 0.1), shares(student, row, 0.3)];
    return p.reduce((sum, share, i) => sum + share * Math.log(share / q[i]!), 0);
  });
  return rows.reduce((sum, value) => sum + value, 0) / BATCH;
}

const rows = (...groups: readonly Float32Array[]): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(groups.flatMap((values) => [...values])), [groups.length * BATCH, WIDTH]);
const input = (student: tf.Tensor2D, teacher: tf.Tensor2D, hyper: Readonly<Record<string, number>>): LossInput => ({
  task: embedding({ classNames: ['a'], vector: { size: WIDTH, prefixes: [] } }),
  ...{ studentLogits: student, teacherLogits: teacher, targets: tf.zeros([student.shape[0], 1]) },
  ...{ weights: tf.ones([student.shape[0]]), studentFeatures: {}, teacherFeatures: {} },
  hyper: Object.fromEntries(Object.entries(hyper).map(([key, value]) => [key, tf.scalar(value)])),
});

it('compares the likenesses to the vectors of the teacher in the batch, group by group', () => {
  const [s, t, s2, t2] = [drawn(), drawn(), drawn(), drawn()];
  const loss = createLoss('similarity', { hyper: HYPER, ofLabels: {}, answers: { width: WIDTH, groups: 2 } });
  const value = loss.compute(input(rows(s, s2), rows(t, t2), HYPER)).loss.dataSync()[0];
  expect(value).toBeCloseTo((exact(s, t, [t]) + exact(s2, t2, [t2])) / 2, 4);
});

it('remembers the latest vectors of the teacher', () => {
  const hyper = { ...HYPER, queue: 2 * BATCH };
  const loss = createLoss('similarity', { hyper, ofLabels: {}, answers: { width: WIDTH, groups: 1 } });
  const batches = Array.from({ length: 4 }, () => [drawn(), drawn()] as const);
  const values = batches.map(([s, t]) => loss.compute(input(rows(s), rows(t), hyper)).loss.dataSync()[0]!);
  batches.forEach(([s, t], i) => {
    const before = batches.slice(Math.max(0, i - 2), i).map(([, earlier]) => earlier);
    expect(values[i]).toBeCloseTo(exact(s, t, [t, ...before]), 4);
  });
});
