import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../../support/losses.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

type Rows = readonly (readonly [number, number])[];

const softmax = (row: readonly number[], temperature = 1): number[] => {
  const powers = row.map((z) => Math.exp(z / temperature));
  return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
};
const kl = (teacher: readonly number[], student: readonly number[], temperature: number): number => {
  const [p, q] = [softmax(teacher, temperature), softmax(student, temperature)];
  return p.reduce((sum, own, k) => sum + own * Math.log(own / q[k]!), 0);
};
/** Logits of two classes with this probability of the first. */
const sure = (probability: number): [number, number] => [Math.log(probability / (1 - probability)), 0];

it('crld holds each view to the answers to both, where the teacher is sure of the plain one or of the strong one', () => {
  const plain = { student: [[1, 0], [0, 2]] as Rows, teacher: [sure(0.95), sure(0.6)] }; // prettier-ignore
  const strong = { student: [[0.5, -1], [3, 1]] as Rows, teacher: [sure(0.65), sure(0.8)] }; // prettier-ignore
  const loss = createLoss('crld', { hyper: { temperature: 2, within: 0.9, across: 0.7 } });
  const matrix = (rows: Rows): tf.Tensor2D => tf.tensor2d(rows.map((row) => [...row]));
  const { parts } = loss.compute({
    ...{ task: classification(2), studentLogits: matrix(plain.student), teacherLogits: matrix(plain.teacher) },
    strong: { studentLogits: matrix(strong.student), teacherLogits: matrix(strong.teacher) },
    targets: tf.tensor2d([
      [1, 0],
      [1, 0],
    ]),
    ...{ weights: tf.tensor1d([1, 1]), studentFeatures: {}, teacherFeatures: {} },
    hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
  });
  const apart = (teacher: Rows, student: Rows, i: number): number => kl(teacher[i]!, student[i]!, 2);
  // The teacher is sure of the first sample in the plain view alone, of the second one in the strong view alone.
  const within = apart(plain.teacher, plain.student, 0) + apart(strong.teacher, strong.student, 0);
  const across = apart(plain.teacher, strong.student, 1) + apart(strong.teacher, plain.student, 1);
  expect(parts['crld']!.dataSync()[0]).toBeCloseTo((4 * (2 * within + 0.5 * across)) / 2, 5);
  const entropies = [...plain.student, ...strong.student].map((row) => -Math.log(softmax(row)[0]!));
  expect(parts['ce']!.dataSync()[0]).toBeCloseTo(entropies.reduce((a, b) => a + b, 0) / 2, 5);
});
