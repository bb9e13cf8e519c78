import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { mixedNumbers, PROBABLY, stuckAt } from '../../tasks/columns.ts';
import { betweenNumbers, errorsOf, isFurtherOff, numbersText, rmseOf } from './errors.ts';
import { oneField } from '../../tasks/fields.ts';
import { mixedTargets, numberFeeds } from '../../tasks/targets.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Tasks } from '../../tasks/registry.ts';
import type { Hyper, Task, TaskData } from '../../tasks/task.ts';

/**
 * One or several numbers for each sample. Networks answer in the label's units; losses see answers and labels minus train's mean, divided by its
 * deviation, so that numbers of all sizes weigh the same and a learning rate fits any unit.
 */
export function regression({ classNames: names, scaling }: Pick<TaskData, 'classNames' | 'scaling'>): Task {
  const width = names.length;
  const { mean, std } = scaling ?? { mean: names.map(() => 0), std: names.map(() => 1) };
  const standard = (values: tf.Tensor2D): tf.Tensor2D =>
    tf.div(tf.sub(values, tf.tensor1d([...mean])), tf.tensor1d([...std]));
  const ignorance = (targets: ArrayLike<number>): number => rmseOf(meansOf(targets, width), targets, width);
  return {
    name: 'regression',
    names,
    fields: oneField([width]),
    width,
    targetWidth: width,
    score: scoreOfTask('regression'),
    answers: 'values',
    scaling,
    lossName: 'label',
    labelNumbers: ({ huber }) => (huber === undefined ? {} : { huber }),
    feeds: (batchSize, mix) => numberFeeds(batchSize, width, mix),
    fed: (targets, where, mix) => {
      const bad = targets.findIndex((value) => !Number.isFinite(value));
      if (bad === -1) return { targets, ...mix };
      throw new UserError(
        `${where}: the label of sample ${Math.floor(bad / width)} is ${String(targets[bad])}, expected a finite number`,
        'Check the labels of the data set.',
      );
    },
    targets: (feeds, mix) => {
      const standardized = standard(feeds['targets'] as tf.Tensor2D);
      return mix === 'partners' ? mixedTargets(standardized, feeds) : standardized;
    },
    mixedValues: (targets, mix) => mixedNumbers(targets, mix, width),
    forLoss: standard,
    loss: (outputs, targets, { huber }: Hyper) => {
      const error = tf.sub(outputs, targets);
      return tf.mean(huber === undefined ? tf.square(error) : huberLoss(error, huber), -1);
    },
    sums: (outputs, targets, weights) => {
      const error = tf.mul(tf.sub(outputs, targets), tf.tensor1d([...std]));
      const squared = tf.sum(tf.mul(tf.square(error), tf.expandDims(weights, 1)), 0);
      const column = (c: number): tf.Scalar => tf.reshape(tf.slice(squared, [c], [1]), []);
      return Object.fromEntries(names.map((_, c) => [`squared${c}`, column(c)]));
    },
    scoreOfSums: (sums, weight) =>
      names.reduce((sum, _, c) => sum + Math.sqrt(sums[`squared${c}`]! / weight), 0) / width,
    scoreOf: (answers, targets) => rmseOf(answers, targets, width),
    describe: (answers, targets) => ({ errors: errorsOf(answers, targets, names) }),
    beside: (answers, teacher) => ({ distance: rmseOf(answers, teacher, width) }),
    textOf: (answers, row) => numbersText(answers, row, names),
    labelText: (targets, row) => numbersText(targets, row, names),
    disagreement: (answers, others) => betweenNumbers(answers, others, std),
    asTargets: (answers) => answers.slice(),
    ignorance,
    isWorse: (answers, than, targets) => isFurtherOff(answers, than, targets, std),
    skill: (answers, targets) => {
      const { rows } = errorsOf(answers, targets, names);
      const score = rmseOf(answers, targets, width);
      const ignorant = scoreOfTask('regression').text(ignorance(targets));
      // Requires better than the mean for every number that varies: one of several may be in another unit.
      const isBetter = rows.every(({ r2 }) => r2 === null || r2 > 0);
      return { score, isBetter, chance: `the mean of the labels alone gives ${ignorant}` };
    },
    stuck: (name, answers, truth, why) => stuck(name, answers, truth, names, why),
  };
}

/** Huber 1964: squared up to `delta` deviations, then linear, so that outliers do not dominate the training. */
function huberLoss(error: tf.Tensor, delta: tf.Scalar): tf.Tensor {
  const size = tf.abs(error);
  const inner = tf.minimum(size, delta);
  // 0.5 · inner² + delta · (size - inner) covers both branches.
  return tf.add(tf.mul(0.5, tf.square(inner)), tf.mul(delta, tf.sub(size, inner)));
}

/** Mean of each target, repeated for each row: [rows, width]. */
function meansOf(targets: ArrayLike<number>, width: number): Float32Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < targets.length; i++) mean[i % width]! += (targets[i]! * width) / targets.length;
  return Float32Array.from({ length: targets.length }, (_, i) => mean[i % width]!);
}

function stuck(
  name: string,
  answers: Float32Array,
  truth: ArrayLike<number>,
  names: readonly string[],
  why = PROBABLY,
): string | undefined {
  const at = stuckAt(answers, truth, names.length);
  if (at === -1) return undefined;
  return `${name}: answers nearly the same number for ${names[at]!} to all of ${answers.length / names.length} samples; ${why}`;
}

export const tasks: Tasks = { regression };
