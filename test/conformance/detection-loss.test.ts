import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { detectorPoints, POINT_STRIDES } from '../../src/data/points.ts';
import { boxesWidth, writeBoxes } from '../../src/data/targets/boxes.ts';
import { createLoss } from '../support/losses.ts';
import { detection } from '../../src/answers/boxes/task.ts';
import type { Loss } from '../../src/train/step/loss.ts';
import { lossInput } from '../../src/train/step/step.ts';
import { useCpu } from '../support/cpu.ts';
import { runPython } from './python.ts';

beforeAll(useCpu);

interface Expected {
  readonly loss: number;
  readonly boxes: readonly number[];
  readonly logits: readonly number[];
  /** Gradients of the second head. */
  readonly manyBoxes: readonly number[];
  readonly manyLogits: readonly number[];
}

const MOST = 5;

/** Answers of a student and a teacher to pictures with boxes, of which some are ignored, on pictures of some size. */
function drawn(key: number) {
  const random = new RandomStream('detection loss', key);
  const [height, width] = [32 * (1 + random.below(3)), 32 * (1 + random.below(3))];
  const points = detectorPoints(height, width);
  const [classes, samples] = [1 + random.below(4), 1 + random.below(4)];
  const around = (): number[] =>
    Array.from({ length: samples * points.count }, (_, i) => i % points.count).flatMap((i) => {
      const [x, y] = [points.centres[2 * i]!, points.centres[2 * i + 1]!];
      const side = (): number => 0.4 * random.uniform();
      return [x - side(), y - side(), x + side(), y + side()].map(Math.fround);
    });
  const logits = (): number[] =>
    Array.from({ length: samples * points.count * classes }, () => Math.fround(3 * random.normal() - 2));
  const truth = Array.from({ length: samples }, () =>
    Array.from({ length: random.below(MOST + 1) }, () => {
      const [w, h] = [0.05 + 0.6 * random.uniform(), 0.05 + 0.6 * random.uniform()];
      const [x, y] = [(1 - w) * random.uniform(), (1 - h) * random.uniform()];
      const sides = [x, y, x + w, y + h].map(Math.fround);
      return [random.below(classes), ...sides, 1, Number(random.uniform() < 0.2)];
    }),
  );
  const own = { boxes: around(), logits: logits() };
  const teacher = { boxes: around(), logits: logits() };
  const stride = POINT_STRIDES[key % 3]!;
  const feature = (channels: number): number[][][][] =>
    Array.from({ length: samples }, () =>
      Array.from({ length: height / stride }, () =>
        Array.from({ length: width / stride }, () =>
          Array.from({ length: channels }, () => Math.fround(random.normal())),
        ),
      ),
    );
  const features = { student: feature(3), teacher: feature(4) };
  const temperature = 1 + random.below(3);
  return { height, width, points, classes, samples, truth, own, teacher, stride, features, temperature };
}

type Case = ReturnType<typeof drawn>;

/** Answers [samples, width] of a task from boxes and logits of all points. */
function joined({ samples }: Case, { boxes, logits }: Case['own']): number[][] {
  const [b, l] = [boxes.length / samples, logits.length / samples];
  return Array.from({ length: samples }, (_, i) => [
    ...boxes.slice(i * b, (i + 1) * b),
    ...logits.slice(i * l, (i + 1) * l),
  ]);
}

/** Task of a case, and targets of its pictures. */
function labelled({ height, width, classes, samples, truth }: Case, nms = true) {
  const classNames = Array.from({ length: classes }, (_, c) => `class ${c}`);
  const task = detection({ classNames, sampleShape: [height, width, 3], maxBoxes: MOST, nms });
  const length = boxesWidth(MOST);
  const targets = new Float32Array(samples * length);
  truth.forEach((rows, i) =>
    writeBoxes(
      targets.subarray(i * length, (i + 1) * length),
      1,
      rows.map(([label, xmin, ymin, xmax, ymax, area, isIgnored]) => ({
        ...{
          label: label!,
          xmin: xmin!,
          ymin: ymin!,
          xmax: xmax!,
          ymax: ymax!,
          area: area!,
          isIgnored: isIgnored === 1,
        },
      })),
    ),
  );
  return { task, targets: tf.tensor2d(targets, [samples, length]), weights: tf.tensor1d(task.weightOf!(targets)) };
}

function feedsOf(loss: Loss, one: Case): Record<string, tf.Tensor> {
  const hyper = Object.entries(loss.hyper).map(([name, value]): [string, tf.Tensor] => [
    `hyper/${name}`,
    tf.scalar(value),
  ]);
  return { teacherLogits: tf.tensor2d(joined(one, one.teacher)), ...Object.fromEntries(hyper) };
}

function ours(one: Case): { readonly loss: number; readonly gradient: readonly number[][] } {
  const { task, targets, weights } = labelled(one);
  const loss = createLoss('kd', { hyper: { temperature: one.temperature, alpha: 0.5 } });
  const feeds = feedsOf(loss, one);
  const valueOf = (answers: tf.Tensor2D): tf.Scalar =>
    loss.compute(
      lossInput(loss, task, feeds, {
        ...{ studentLogits: answers, targets, weights },
        studentFeatures: {},
      }),
    ).loss;
  const { value, grad } = tf.valueAndGrad((x) => valueOf(x as tf.Tensor2D))(tf.tensor2d(joined(one, one.own)));
  return { loss: value.dataSync()[0]!, gradient: (grad as tf.Tensor2D).arraySync() };
}

/** Answers of two heads as a network gives them in training: the boxes of both, then their logits. */
function ofBoth({ samples }: Case, first: Case['own'], second: Case['own']): number[][] {
  const row = (values: readonly number[], i: number): readonly number[] =>
    values.slice((i * values.length) / samples, ((i + 1) * values.length) / samples);
  return Array.from({ length: samples }, (_, i) => [
    ...[first.boxes, second.boxes, first.logits, second.logits].flatMap((values) => row(values, i)),
  ]);
}

/** Label loss of two heads, of which the first one learns each box at a single point. */
function oursOfBoth(one: Case): ReturnType<typeof ours> {
  const { task, targets, weights } = labelled(one, false);
  const loss = createLoss('ce');
  const valueOf = (x: tf.Tensor): tf.Scalar =>
    loss.compute(lossInput(loss, task, {}, { studentLogits: x as tf.Tensor2D, targets, weights, studentFeatures: {} })).loss; // prettier-ignore
  const { value, grad } = tf.valueAndGrad(valueOf)(tf.tensor2d(ofBoth(one, one.own, one.teacher)));
  return { loss: value.dataSync()[0]!, gradient: (grad as tf.Tensor2D).arraySync() };
}

/** A loss of inner tensors: its distance, its regressor, and the gradients of both by the student's tensor and by the regressor. */
function compared(name: 'frs' | 'pkd', one: Case) {
  const { task, targets, weights } = labelled(one);
  const [student, teacher] = [one.features.student, one.features.teacher].map((values) => tf.tensor4d(values)) as [tf.Tensor4D, tf.Tensor4D]; // prettier-ignore
  const pair = {
    student: 's',
    teacher: 't',
    studentShape: student.shape.slice(1),
    teacherShape: teacher.shape.slice(1),
  };
  const loss = createLoss(name, { features: [pair], seed: 5 });
  const feeds = { ...feedsOf(loss, one), 'teacher/t': teacher };
  const studentLogits = tf.tensor2d(joined(one, one.own));
  const variables = Object.values(loss.variables);
  const distanceOf = (feature: tf.Tensor): tf.Scalar => {
    const input = lossInput(loss, task, feeds, { studentLogits, targets, weights, studentFeatures: { s: feature } });
    return loss.compute(input).parts[name]!;
  };
  const { value, grads } = tf.valueAndGrads((feature: tf.Tensor) => distanceOf(feature))([student, ...variables]);
  const [kernel, bias = []] = variables.map((variable) => variable.arraySync());
  const gradients = grads.map((gradient) => Array.from(gradient.dataSync()));
  return { name, kernel, bias, distance: value.dataSync()[0]!, gradients };
}

it.each(['frs', 'pkd'] as const)('%s of random detectors and its gradients are those of PyTorch', (name) => {
  const all = Array.from({ length: 30 }, (_, i) => drawn(i));
  // A correlation over two places is ±1 whatever they hold.
  const cases = all.filter(({ features }) => name === 'frs' || features.student.flat(2).length >= 8);
  expect(cases.length).toBeGreaterThan(15);
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    const own = cases.map((one) => compared(name, one));
    const written = cases.map((one, i) => {
      const { truth, teacher, classes, features, samples } = one;
      const { kernel, bias } = own[i]!;
      const logits = Array.from({ length: teacher.logits.length / classes }, (_, p) => teacher.logits.slice(p * classes, (p + 1) * classes)); // prettier-ignore
      const level = { student: features.student, teacher: features.teacher, level: POINT_STRIDES.indexOf(one.stride) };
      return { feature: name, truth, samples, teacherLogits: logits, ...level, kernel, bias };
    });
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(written));
    const expected = runPython('detection_loss.py', folder) as { distance: number; gradients: number[][] }[];
    own.forEach(({ distance, gradients }, i) => {
      const wanted = expected[i]!;
      expect([i, Math.abs(distance / wanted.distance - 1) < 1e-5]).toEqual([i, true]);
      gradients.forEach((values, k) => {
        const right = wanted.gradients[k]!;
        const largest = Math.max(...wanted.gradients.flat().map(Math.abs));
        const worst = Math.max(...values.map((value, j) => Math.abs(value - right[j]!)));
        expect([i, k, worst / largest < 1e-5]).toEqual([i, k, true]);
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it.each([1, 2])(
  'assignment, loss, distillation and gradients of 30 random detectors with %d heads are those of PyTorch',
  (heads) => {
    const cases = Array.from({ length: 30 }, (_, i) => drawn(i));
    const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
    try {
      const perPoint = ({ points: { count } }: Case, values: readonly number[], samples: number, width: number) =>
        Array.from({ length: samples }, (_, s) =>
          Array.from({ length: count }, (_p, p) => values.slice((s * count + p) * width, (s * count + p + 1) * width)),
        );
      const pairs = (values: Float32Array): number[][] =>
        Array.from({ length: values.length / 2 }, (_, i) => Array.from(values.subarray(2 * i, 2 * i + 2)));
      const written = cases.map((one) => ({
        ...{ heads, truth: one.truth },
        boxes: perPoint(one, one.own.boxes, one.samples, 4),
        logits: perPoint(one, one.own.logits, one.samples, one.classes),
        teacherBoxes: perPoint(one, one.teacher.boxes, one.samples, 4),
        teacherLogits: perPoint(one, one.teacher.logits, one.samples, one.classes),
        ...{ centres: pairs(one.points.centres), cells: pairs(one.points.cells), temperature: one.temperature },
      }));
      writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(written));
      const expected = runPython('detection_loss.py', folder) as Expected[];
      cases.forEach((one, i) => {
        const { loss, gradient } = heads === 1 ? ours(one) : oursOfBoth(one);
        const right = expected[i]!;
        const own = { boxes: [...right.boxes], logits: [...right.logits] };
        const wanted = heads === 1 ? joined(one, own) : ofBoth(one, own, { boxes: [...right.manyBoxes], logits: [...right.manyLogits] }); // prettier-ignore
        expect(Math.abs(loss / expected[i]!.loss - 1)).toBeLessThan(1e-5);
        const largest = Math.max(...wanted.flat().map(Math.abs));
        const worst = Math.max(
          ...gradient.flatMap((row, s) => row.map((value, k) => Math.abs(value - wanted[s]![k]!))),
        );
        expect([i, worst / largest < 1e-5]).toEqual([i, true]);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
