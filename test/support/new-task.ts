import * as tf from '@tensorflow/tfjs-core';
import type { LabelWords, RawSplit } from '../../src/data/dataset.ts';
import { numbers } from '../../src/data/targets/numbers.ts';
import type { TargetReader } from '../../src/data/targets/reader.ts';
import type { TaskRow } from '../../src/recipe/answer-forms.ts';
import { argMax } from '../../src/base/numbers.ts';
import { columnOf, isAboveZero, mixedNumbers, stuckAt } from '../../src/tasks/columns.ts';
import type { AnswerField } from '../../src/tasks/fields.ts';
import { errorsOf } from '../../src/answers/numbers/errors.ts';
import { scoreFrom } from '../../src/tasks/score.ts';
import { mixedTargets, numberFeeds } from '../../src/tasks/targets.ts';
import type { Task, TaskData } from '../../src/tasks/task.ts';

/**
 * A task of two heads, as CONTRIBUTING describes a new task: the kind of a fruit and its weight, from columns `kind` and `weight`. An answer is
 * [kinds + 1]: a logit for each kind, and the weight.
 */
export const NAME = 'fruit';

/** src/answers/fruits/index.ts */
export const row: TaskRow = {
  ...{ hasClasses: false, hasNames: true, isEmptyKnown: false, answersPer: 'sample' },
  ...{ losses: ['mse'], loss: 'mse', store: 'fp32' },
  score: { name: 'both right', unit: 'fraction' },
  mixes: ['mixup'],
  fields: ['logits', 'numbers'],
  begins: ['loss: mse'],
};

/** src/answers/fruits/labels.ts: targets of a sample are the index of its kind, and its weight. */
export const reader: TargetReader = {
  unread: { classWeights: 'Kinds are not weighed; leave it out.' },
  names: (train) => [...new Set(columnsOf(train)[0].names)].sort().concat('weight'),
  values: (split, names) => {
    const [kinds, weights] = columnsOf(split);
    return Float32Array.from({ length: 2 * kinds.values.length }, (_, i) => {
      const { names: words, values } = i % 2 === 0 ? kinds : weights;
      const word = words[values[Math.floor(i / 2)]!]!;
      return i % 2 === 0 ? names.indexOf(word) : Number(word);
    });
  },
  width: () => 2,
  scaling: (values) => numbers.scaling!(Float32Array.from(columnOf(values, 1, 2)), 1),
  unlabelledNames: () => undefined,
  named: 'the kinds, and the weight',
  none: () => new Float32Array(0),
  strata: (values) => Int32Array.from(columnOf(values, 0, 2)),
  oddities: () => [],
};

function columnsOf({ labels }: RawSplit): readonly [LabelWords, LabelWords] {
  if (labels.kind !== 'columns') throw new Error('expected the columns kind and weight');
  return labels.columns as [LabelWords, LabelWords];
}

/** Error of a weight, in grams, below which it counts as right. */
const TOLERANCE = 10;

/** src/answers/fruits/task.ts */
export function fruit({ classNames: names, scaling = { mean: [0], std: [1] } }: TaskData): Task {
  const [width, kinds] = [names.length, names.length - 1];
  const fields: readonly AnswerField[] = [
    { name: 'logits', shape: [kinds] },
    { name: 'numbers', shape: [1] },
  ];
  const rowsOf = (answers: ArrayLike<number>) => Array.from({ length: answers.length / width }, (_, i) => i * width);
  const kindOf = (answers: ArrayLike<number>, from: number) => argMax(answers, from, kinds);
  const weights = (answers: ArrayLike<number>) => columnOf(answers, kinds, width);
  const right = (answers: Float32Array, targets: ArrayLike<number>): number[] =>
    rowsOf(answers).map((from, i) => {
      const isNear = Math.abs(answers[from + kinds]! - targets[2 * i + 1]!) < TOLERANCE;
      return kindOf(answers, from) === targets[2 * i] && isNear ? 1 : 0;
    });
  const scoreOf = (answers: Float32Array, targets: ArrayLike<number>): number =>
    right(answers, targets).reduce((sum, value) => sum + value, 0) / (targets.length / 2);
  // Losses see weights in deviations from their mean.
  const ones = names.slice(1);
  const [mean, std] = [
    [...ones.map(() => 0), ...scaling.mean],
    [...ones.map(() => 1), ...scaling.std],
  ];
  const standard = (rows: tf.Tensor2D): tf.Tensor2D => tf.div(tf.sub(rows, tf.tensor1d(mean)), tf.tensor1d(std));
  const logitsIn = (rows: tf.Tensor2D) => tf.slice(rows, [0, 0], [-1, kinds]);
  const weightIn = (rows: tf.Tensor2D) => tf.slice(rows, [0, kinds], [-1, 1]);
  const oneHot = (targets: ArrayLike<number>): Float32Array => {
    const out = new Float32Array((targets.length / 2) * width);
    for (let i = 0; i < targets.length / 2; i++) {
      out[i * width + targets[2 * i]!] = 1;
      out[i * width + kinds] = targets[2 * i + 1]!;
    }
    return out;
  };
  const text = (kind: number, weight: number) => `${names[kind]!}, ${weight.toPrecision(3)}`;
  return {
    ...{
      name: NAME,
      names,
      fields,
      width,
      targetWidth: 2,
      score: scoreFrom(row.score),
      answers: 'values',
    },
    scaling: { ...scaling, field: 'numbers' },
    lossName: 'label',
    labelNumbers: () => ({}),
    feeds: (batchSize, mix) => numberFeeds(batchSize, width, mix),
    fed: (targets, _, mix) => ({ targets: oneHot(targets), ...mix }),
    targets: (feeds, mix) => {
      const own = standard(feeds['targets'] as tf.Tensor2D);
      return mix === 'partners' ? mixedTargets(own, feeds) : own;
    },
    mixedValues: (targets, mix) => mixedNumbers(oneHot(targets), mix, width),
    forLoss: standard,
    loss: (outputs, targets) => {
      const entropy = tf.neg(tf.sum(tf.mul(logitsIn(targets), tf.logSoftmax(logitsIn(outputs))), -1));
      return tf.add(entropy, tf.mean(tf.squaredDifference(weightIn(outputs), weightIn(targets)), -1));
    },
    sums: (outputs, targets, counted) => {
      const same = tf.equal(tf.argMax(logitsIn(outputs), -1), tf.argMax(logitsIn(targets), -1));
      const near = tf.less(tf.abs(tf.sub(weightIn(outputs), weightIn(targets))), TOLERANCE / scaling.std[0]!);
      const both = tf.logicalAnd(same, tf.reshape(near, [-1]));
      return { right: tf.sum(tf.mul(tf.cast(both, 'float32'), counted)) };
    },
    scoreOfSums: (sums, weight) => sums['right']! / weight,
    scoreOf,
    describe: (answers, targets) => ({ errors: errorsOf(weights(answers), columnOf(targets, 1, 2), ['weight']) }),
    beside: () => ({}),
    textOf: (answers, i) => text(kindOf(answers, i * width), answers[i * width + kinds]!),
    labelText: (targets, i) => text(targets[2 * i]!, targets[2 * i + 1]!),
    disagreement: (answers, others) =>
      Float32Array.from(rowsOf(answers), (from) => (kindOf(answers, from) === kindOf(others, from) ? 0 : 1)),
    asTargets: (answers) =>
      Float32Array.from(rowsOf(answers).flatMap((from) => [kindOf(answers, from), answers[from + kinds]!])),
    ignorance: () => 1 / kinds,
    isWorse: (answers, than, targets) => {
      const others = right(than, targets);
      return isAboveZero(right(answers, targets).map((value, i) => others[i]! - value));
    },
    skill: (answers, targets) => {
      const value = scoreOf(answers, targets);
      return { score: value, isBetter: value > 1 / kinds, chance: 'a fruit drawn by lot is right less often' };
    },
    stuck: (name, answers, targets) =>
      stuckAt(weights(answers), targets.length === answers.length ? weights(targets) : columnOf(targets, 1, 2), 1) ===
      -1
        ? undefined
        : `${name}: answers nearly the same weight to all samples`,
  };
}

export const KINDS = ['apple', 'pear', 'plum'];

export interface Fruit {
  readonly features: readonly number[];
  readonly kind: string;
  readonly weight: number;
}

/** Fruits of three features, of which the largest tells the kind. */
export function fruits(count: number, first: number): Fruit[] {
  return Array.from({ length: count }, (_, i) => {
    const features = [1, 2.3, 3.7].map((step) => Math.sin(step * (first + i) + step));
    const [a, b, c] = features as [number, number, number];
    return { features, kind: KINDS[argMax(features, 0, 3)]!, weight: 150 + 40 * (a - 0.5 * b + 0.3 * c) };
  });
}

/** Such fruits as CSV. */
export function table(count: number, first: number): string {
  const lines = fruits(count, first).map(({ features, kind, weight }) => [...features, kind, weight].join(','));
  return `redness,length,shine,kind,weight\n${lines.join('\n')}\n`;
}

/** Student of two heads, for `student.module`. */
export const MODULE = `export default ({ tf, inputShape, fields, seed }) => {
  const x = tf.input({ shape: inputShape });
  const kernelInitializer = (i) => tf.initializers.glorotUniform({ seed: seed + i });
  const dense = (units, name, i) => tf.layers.dense({ units, name, kernelInitializer: kernelInitializer(i), ...(i === 0 && { activation: 'relu' }) });
  const hidden = dense(32, 'hidden', 0).apply(x);
  const outputs = fields.map(({ name, shape: [units] }, i) => dense(units, name, i + 1).apply(hidden));
  return tf.model({ inputs: x, outputs });
};
`;
