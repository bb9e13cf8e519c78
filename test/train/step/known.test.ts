import * as tf from '@tensorflow/tfjs-core';
import { known } from '../../../src/distill/answers/known.ts';
import { createLoss } from '../../support/losses.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/engine.ts';
import { IGNORED } from '../../../src/data/targets/ignored.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { segmentation } from '../../../src/answers/mask/task.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { lossInput } from '../../../src/train/step/step.ts';

beforeAll(() => useLazyBackend(evaluator));

const [ALPHA, T] = [0.7, 2];
const task = classification(3);
const student = [[1, 0, -1], [0.5, 2, 0], [-1, 0.3, 1], [0, 0, 1]]; // prettier-ignore
const teacher = [[3, 0, 0], [0, 0.1, 0], [0, 0.2, 0.1], [0, 5, 0]]; // prettier-ignore
const targets = [0, 1, 2, 0];
const weights = [1, 2, 1, 3];

const softmax = (row: readonly number[], temperature = 1): number[] => {
  const exps = row.map((value) => Math.exp(value / temperature));
  return exps.map((value) => value / exps.reduce((a, b) => a + b));
};
const ce = (i: number): number => -Math.log(softmax(student[i]!)[targets[i]!]!);
const kd = (i: number): number => {
  const [p, q] = [softmax(teacher[i]!, T), softmax(student[i]!, T)];
  return T * T * p.reduce((sum, value, k) => sum + value * Math.log(value / q[k]!), 0);
};

/** The loss of samples with these labels and answers, in double precision: alpha sample by sample. */
function reference(label: readonly number[], answer: readonly number[]): number {
  let [sum, all] = [0, 0];
  for (let i = 0; i < 4; i++) {
    if (label[i] === 0 && answer[i] === 0) continue;
    const alpha = label[i] === 0 ? 1 : answer[i] === 0 ? 0 : ALPHA;
    sum += weights[i]! * ((1 - alpha) * ce(i) + alpha * kd(i));
    all += weights[i]!;
  }
  return all === 0 ? 0 : sum / all;
}

async function computed(labelled: readonly number[], minConfidence?: number) {
  const batch = {
    ...{ ids: Int32Array.of(0, 1, 2, 3), targets: Int32Array.from(targets), weights: Float32Array.from(weights) },
    ...{ labelled: Float32Array.from(labelled), teacher: { teacherLogits: Float32Array.from(teacher.flat()) } },
  };
  const made = known(batch, { task, hasLabels: labelled.includes(1), minConfidence });
  const loss = createLoss('kd', { hyper: { alpha: ALPHA, temperature: T } });
  const scalars = Object.entries(loss.hyper).map(([name, value]) => [`hyper/${name}`, tf.scalar(value)]);
  const feeds = {
    ...{ hasLabel: tf.tensor1d(made.known.label), hasAnswer: tf.tensor1d(made.known.answer) },
    ...{ teacherLogits: tf.tensor2d(teacher), ...(Object.fromEntries(scalars) as Record<string, tf.Scalar>) },
  };
  const input = lossInput(loss, task, feeds, {
    studentLogits: tf.tensor2d(student),
    targets: tf.oneHot(tf.tensor1d(targets, 'int32'), 3, 1, 0, 'float32') as tf.Tensor2D,
    weights: tf.tensor1d(made.weights),
    studentFeatures: {},
  });
  return { value: (await loss.compute(input).loss.data())[0]!, made };
}

it.each([[[1, 1, 1, 1]], [[1, 0, 1, 0]], [[0, 0, 0, 0]]])(
  'alpha is a number of each sample: labels %j',
  async (label) => {
    expect((await computed(label)).value).toBeCloseTo(reference(label, [1, 1, 1, 1]), 5);
  },
);

it('leaves out answers that are not sure; samples of which nothing is known weigh nothing', async () => {
  // The probabilities of their classes are 0.91, 0.36, 0.37 and 0.99.
  const { value, made } = await computed([0, 1, 0, 0], 0.5);
  expect(Array.from(made.known.answer)).toEqual([1, 0, 0, 1]);
  expect(Array.from(made.weights)).toEqual([1, 2, 0, 3]);
  expect(value).toBeCloseTo(reference([0, 1, 0, 0], [1, 0, 0, 1]), 5);
  expect((await computed([0, 0, 0, 0], 0.9999)).value).toBe(0);
});

it('counts the score of labels, and where there are none at all that of agreement with the teacher', async () => {
  expect(Array.from((await computed([1, 0, 1, 0])).made.known.scored)).toEqual([1, 0, 1, 0]);
  const { made } = await computed([0, 0, 0, 0]);
  expect([Array.from(made.known.scored), Array.from(made.targets)]).toEqual([[1, 1, 1, 1], [0, 1, 1, 1]]); // prettier-ignore
});

it('weighs a picture by its pixels with a class, as where all pictures have a mask', () => {
  const pixels = segmentation({ classNames: ['ground', 'disc'], sampleShape: [2, 2, 3], stride: 2 });
  const { weights, known: flags } = known(
    {
      ...{ ids: Int32Array.of(0, 1, 2), labelled: Float32Array.of(1, 1, 0) },
      targets: Uint8Array.of(0, 1, 1, 0, IGNORED, 1, IGNORED, IGNORED, 0, 0, 0, 0),
      teacher: { teacherLogits: new Float32Array(6) },
    },
    { task: pixels, hasLabels: true },
  );
  expect([...weights]).toEqual([1, 0.25, 1]);
  expect([...flags.label]).toEqual([1, 1, 0]);
});
