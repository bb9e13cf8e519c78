import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { NO_TAG } from '../../../src/answers/tags/labels.ts';
import { usualNumbers } from '../../../src/distill/losses/registry.ts';
import { createLoss } from '../../support/losses.ts';
import { LOSSES } from '../../../src/recipe/schema/loss.ts';
import type { LossName } from '../../../src/recipe/schema/loss.ts';
import { isLossFor } from '../../../src/recipe/task.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { tagging } from '../../../src/answers/tags/task.ts';
import type { Task } from '../../../src/tasks/task.ts';
import { lossInput } from '../../../src/train/step/step.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const TAGS = ['O', 'B-PER', 'I-PER', 'B-LOC'];
const [SENTENCES, LENGTH] = [6, 9];
const random = new RandomStream('rows');
const logits = (scale: number): Float32Array =>
  Float32Array.from({ length: SENTENCES * LENGTH * TAGS.length }, () => scale * random.normal());
const [STUDENT, TEACHER] = [logits(1), logits(3)];
const LABELS = Int32Array.from({ length: SENTENCES * LENGTH }, () =>
  random.uniform() < 0.4 ? NO_TAG : random.below(TAGS.length),
);
const WORDS = [...LABELS.keys()].filter((token) => LABELS[token] !== NO_TAG);

/** Logits of the tokens that have a tag, in the order of the tokens. */
const ofWords = (all: Float32Array): Float32Array =>
  Float32Array.from(WORDS.flatMap((token) => [...all.subarray(token * TAGS.length, (token + 1) * TAGS.length)]));

/** The loss, and its gradient by the logits of the student. */
function lossOf(name: LossName, task: Task, student: Float32Array, teacher: Float32Array, labels: Int32Array) {
  const loss = createLoss(name);
  const numbers = Object.entries(usualNumbers(name)).map(([key, value]) => [`hyper/${key}`, tf.scalar(value)]);
  const count = labels.length / task.targetWidth;
  const table = (values: Float32Array): tf.Tensor2D => tf.tensor2d(values, [count, task.width]);
  const shape = task.targetWidth === 1 ? [count] : [count, task.targetWidth];
  const feeds = {
    ...(Object.fromEntries(numbers) as Record<string, tf.Scalar>),
    ...{ labels: tf.tensor(labels, shape, 'int32'), teacherLogits: table(teacher) },
  };
  const weights = tf.tensor1d(task.weightOf?.(labels) ?? new Float32Array(count).fill(1));
  const value = (studentLogits: tf.Tensor): tf.Scalar =>
    loss.compute(
      lossInput(loss, task, feeds, {
        ...{ studentLogits: studentLogits as tf.Tensor2D, weights, studentFeatures: {} },
        targets: task.targets(feeds, 'none'),
      }),
    ).loss;
  const { value: of, grad } = tf.valueAndGrad(value)(table(student));
  return { value: of.dataSync()[0]!, gradient: grad.dataSync() as Float32Array };
}

const names = (Object.keys(LOSSES) as LossName[]).filter((name) => isLossFor(name, 'tagging'));

it('knows nine losses that compare logits row by row', () => {
  expect(names).toHaveLength(9);
});

describe.each(names)('%s of tags', (name) => {
  it('is that of classes on the words, and has their gradient', () => {
    const words = lossOf(
      ...([name, classification(TAGS), ofWords(STUDENT), ofWords(TEACHER)] as const),
      Int32Array.from(WORDS, (token) => LABELS[token]!),
    );
    const tags = lossOf(name, tagging(TAGS, LENGTH), STUDENT, TEACHER, LABELS);
    expect(words.value).toBeGreaterThan(0);
    expect(tags.value).toBeCloseTo(words.value, 4);
    const largest = Math.max(...words.gradient.map(Math.abs));
    expect(Math.max(...ofWords(tags.gradient).map((value, i) => Math.abs(value - words.gradient[i]!)))).toBeLessThan(
      1e-5 * largest,
    );
    const rest = tags.gradient.filter((_, i) => LABELS[Math.floor(i / TAGS.length)] === NO_TAG);
    expect(rest.every((value) => value === 0)).toBe(true);
  });
});
