import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { boxesWidth, writeBoxes } from '../../../src/data/targets/boxes.ts';
import { known } from '../../../src/distill/answers/known.ts';
import { createLoss } from '../../support/losses.ts';
import { ROW } from '../../../src/answers/boxes/suppression.ts';
import { detection } from '../../../src/answers/boxes/task.ts';
import { taskOfWidth } from '../../../src/tasks/task.ts';
import { lossInput } from '../../../src/train/step/step.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const MOST = 3;
const task = detection({ classNames: ['a', 'b'], sampleShape: [64, 64, 3], maxBoxes: MOST });
const taught = task.taught!;
const width = boxesWidth(MOST);

/** Detections of pictures: class, score, sides. */
function detections(...pictures: readonly (readonly number[])[][]): Float32Array {
  const all = new Float32Array(pictures.length * ROW);
  pictures.forEach((boxes, i) => all.set([...boxes.flat(), -1], i * ROW));
  return all;
}

const random = new RandomStream('taught');
const student = Float32Array.from({ length: 2 * task.width }, () => random.uniform());
const FIRST = [[1, 0.9, 0.1, 0.1, 0.6, 0.7], [0, 0.4, 0.5, 0.5, 1, 1]] as const; // prettier-ignore

it('a teacher that answers with boxes is known by the width of its answers', () => {
  expect(taskOfWidth(task, ROW)).toBe(taught.task);
  expect(taskOfWidth(task, task.width)).toBe(task);
  expect(taskOfWidth(task, 7)).toBe(task);
});

it('what is said of boxes is what is said of the points that they were chosen from', () => {
  const boxes = taught.of(student);
  const targets = new Float32Array(2 * width);
  const box = { label: 0, xmin: 0.2, ymin: 0.2, xmax: 0.8, ymax: 0.9, area: 100, isIgnored: false };
  for (const row of [0, 1]) writeBoxes(targets.subarray(row * width, (row + 1) * width), 64 * 64, [box]);
  expect(taught.task.asTargets(boxes)).toEqual(task.asTargets(student));
  expect(taught.task.describe(boxes, targets)).toEqual(task.describe(student, targets));
  expect(taught.task.textOf(boxes, 1, targets)).toBe(task.textOf(student, 1, targets));
});

it('a picture without a label weighs the scores of its boxes, 1 at least, and one with labels their number', () => {
  const row = new Float32Array(3 * width);
  const box = { label: 0, xmin: 0, ymin: 0, xmax: 1, ymax: 1, area: 1, isIgnored: false };
  for (const i of [0, 1, 2]) writeBoxes(row.subarray(i * width, (i + 1) * width), 1, [box, box].slice(0, i));
  const teacherLogits = detections([], [...FIRST], [...FIRST]);
  const batch = { ids: Int32Array.of(0, 1, 2), targets: row, teacher: { teacherLogits } };
  const weights = (labelled: number[]): number[] =>
    Array.from(known({ ...batch, labelled: Float32Array.from(labelled) }, { task, hasLabels: true }).weights);
  expect(weights([0, 0, 1])).toEqual([1, expect.closeTo(1.3, 5), 2]);
  expect(weights([1, 1, 1])).toEqual([1, 1, 2]);
});

it.each([1, 2])(
  'the loss of taught boxes is that of labels whose scores are 1, at any temperature such as %d',
  async (temperature) => {
    const targets = new Float32Array(2 * width);
    const labelled = [[FIRST[0]], []].map((boxes) =>
    boxes.map(([label, , xmin, ymin, xmax, ymax]) => ({ ...{ label, xmin, ymin, xmax, ymax }, area: 1, isIgnored: false })),
  ); // prettier-ignore
    labelled.forEach((boxes, i) => writeBoxes(targets.subarray(i * width, (i + 1) * width), 1, boxes));
    const loss = createLoss('kd', { hyper: { alpha: 0.5, temperature } });
    const scalars = Object.entries(loss.hyper).map(([name, value]) => [`hyper/${name}`, tf.scalar(value)]);
    const of = (score: number) => {
      const teacher = detections([[1, score, ...FIRST[0].slice(2)]], []);
      const feeds = {
        teacherLogits: tf.tensor2d(teacher, [2, ROW]),
        ...(Object.fromEntries(scalars) as Record<string, tf.Scalar>),
      };
      const computed = (x: tf.Tensor) =>
        loss.compute(
          lossInput(loss, task, feeds, {
            studentLogits: x as tf.Tensor2D,
            targets: tf.tensor2d(targets, [2, width]),
            weights: tf.tensor1d([1, 1]),
            studentFeatures: {},
          }),
        );
      const x = tf.tensor2d(student, [2, task.width]);
      const { parts } = computed(x);
      return { parts, gradient: tf.grad((given) => computed(given).loss)(x) };
    };
    const { parts, gradient } = of(1);
    expect((await parts['kd']!.data())[0]).toBeCloseTo((await parts['boxes']!.data())[0]!, 4);
    expect((await gradient.data()).every(Number.isFinite)).toBe(true);
    expect((await of(0.5).parts['kd']!.data())[0]).not.toBeCloseTo((await parts['boxes']!.data())[0]!, 2);
  },
);
