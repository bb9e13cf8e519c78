import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { columnOf, FEWEST_SAMPLES, isAboveZero, meanOf, mixedNumbers, PROBABLY, stuckAt } from '../../tasks/columns.ts';
import {
  betweenLabels,
  f1Of,
  GIVEN,
  givenLabelsText,
  labelReport,
  macroF1,
  rankingOf,
  rightDecisions,
} from './figures.ts';
import type { Labelled } from './figures.ts';
import { oneField } from '../../tasks/fields.ts';
import { asGiven, mixedTargets, numberFeeds } from '../../tasks/targets.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Tasks } from '../../tasks/registry.ts';
import type { Task } from '../../tasks/task.ts';

/** Any number of labels for each sample, including none: a logit and a sigmoid for each. */
export function multiLabel(names: readonly string[]): Task {
  const width = names.length;
  return {
    name: 'multi-label',
    names,
    fields: oneField([width]),
    width,
    targetWidth: width,
    score: scoreOfTask('multi-label'),
    answers: 'logits',
    lossName: 'bce',
    labelNumbers: () => ({}),
    feeds: (batchSize, mix) => numberFeeds(batchSize, width, mix),
    fed: (targets, where, mix) => {
      const bad = targets.findIndex((value) => value !== 0 && value !== 1);
      if (bad === -1) return { targets: Float32Array.from(targets), ...mix };
      throw new UserError(
        `${where}: the label ${names[bad % width]!} of sample ${Math.floor(bad / width)} is ${String(targets[bad])}, expected 0 or 1`,
        'Check the labels of the data set.',
      );
    },
    targets: (feeds, mix) => {
      const own = feeds['targets'] as tf.Tensor2D;
      return mix === 'partners' ? mixedTargets(own, feeds) : own;
    },
    mixedValues: (targets, mix) => mixedNumbers(targets, mix, width),
    forLoss: asGiven,
    loss: (logits, targets) => tf.mean(crossEntropy(logits, targets), -1),
    divergence: (teacher, student, temperature) => {
      const [t, s] = [tf.div(teacher, temperature), tf.div(student, temperature)];
      const given = tf.sigmoid(t);
      return tf.mean(tf.sub(crossEntropy(s, given), crossEntropy(t, given)), -1);
    },
    sums: (logits, targets, weights) => {
      const [given, isTrue] = [above(logits, GIVEN), above(targets, 0.5)];
      const weightedSum = (values: tf.Tensor): tf.Tensor => tf.sum(tf.mul(values, tf.expandDims(weights, 1)), 0);
      const [right, both] = [weightedSum(tf.mul(given, isTrue)), weightedSum(tf.add(given, isTrue))];
      const at = (sums: tf.Tensor, c: number): tf.Scalar => tf.reshape(tf.slice(sums, [c], [1]), []);
      return Object.fromEntries(
        names.flatMap((_, c) => [
          [`right${c}`, at(right, c)],
          [`both${c}`, at(both, c)],
        ]),
      );
    },
    scoreOfSums: (sums) =>
      meanOf(names.map((_, c) => (sums[`both${c}`] === 0 ? null : (2 * sums[`right${c}`]!) / sums[`both${c}`]!))) ?? 0,
    scoreOf: (answers, targets) => macroF1({ answers, targets }, width),
    describe: (answers, targets, tuning) => ({ labels: labelReport({ answers, targets }, names, tuning) }),
    beside: (answers, teacher) => ({ distance: distanceOf(answers, teacher) }),
    textOf: (answers, row) => givenLabelsText(answers, row, names, GIVEN),
    labelText: (targets, row) => givenLabelsText(targets, row, names, 0.5),
    disagreement: (answers, others) => betweenLabels(answers, others, width),
    asTargets: (answers) => Int32Array.from(answers, (logit) => (logit > GIVEN ? 1 : 0)),
    ignorance: (targets) => meanOf(names.map((_, c) => ofCommoner(columnOf(targets, c, width)))) ?? 0,
    // Tested decision by decision, because F1 is no sum over samples.
    isWorse: (answers, than, targets) =>
      isAboveZero(lostDecisions({ answers, targets }, { answers: than, targets }, width)),
    skill: (answers, targets) => ({
      score: macroF1({ answers, targets }, width),
      ...(areProbabilities(answers, width)
        ? { isBetter: false, chance: 'all of its answers lie between 0 and 1, as probabilities do and logits do not' }
        : ranking(answers, targets, width)),
    }),
    stuck: (name, answers, truth, why) => stuck(name, answers, truth, names, why),
  };
}

/** -(z log p + (1 - z) log(1 - p)) of each label for p = sigmoid(logit), finite for any finite logit: softplus(x) - x z. */
function crossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  const size = tf.abs(logits);
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tf.log1p(tf.exp(tf.neg(size))));
}

function above(values: tf.Tensor, limit: number): tf.Tensor {
  return tf.cast(tf.greater(values, limit), 'float32');
}

/** Root mean squared difference of the logits. */
function distanceOf(answers: Float32Array, teacher: Float32Array): number {
  return Math.sqrt(answers.reduce((sum, value, i) => sum + (value - teacher[i]!) ** 2, 0) / answers.length);
}

/** Number of right decisions lost in each sample against other answers to it. */
function lostDecisions(own: Labelled, other: Labelled, width: number): number[] {
  const right = rightDecisions(own, width);
  return rightDecisions(other, width).map((value, i) => value - right[i]!);
}

/** F1 of giving a label to all samples if most have it, else to none. */
function ofCommoner(labels: readonly number[]): number | null {
  const most = labels.filter((label) => label === 1).length > labels.length / 2;
  return f1Of(
    labels.map(() => (most ? 1 : -1)),
    labels,
  );
}

/**
 * Ranking of samples with a label before those without, which needs no threshold: a good teacher of rare labels may give none at 0.5. The deviation
 * of a mean is at most the mean of the deviations, however the labels correlate.
 */
function ranking(answers: ArrayLike<number>, targets: TargetValues, width: number) {
  const all = Array.from({ length: width }, (_, c) =>
    rankingOf(columnOf(answers, c, width), columnOf(targets, c, width)),
  ).filter((one) => one !== undefined);
  const area = meanOf(all.map((one) => one.area));
  if (area === null) return { isBetter: false, chance: 'there is no label that some samples have and others have not' };
  const deviation = meanOf(all.map((one) => one.deviation))!;
  return {
    isBetter: area > 0.5 + 3 * deviation,
    chance: `it ranks a sample with a label before one without in ${percent(area, 1)} of the cases, at random in ${percent(0.5, 1)}`,
  };
}

/** True for answers of a file that ends in a sigmoid: read as logits, they would give every label to every sample. */
function areProbabilities(answers: Float32Array, width: number): boolean {
  return answers.length / width >= FEWEST_SAMPLES && answers.every((value) => value >= 0 && value <= 1);
}

/**
 * Sentence on a model whose answers do not depend on the sample: their spread is below a share of another model's, or of 1 if compared with labels.
 */
function stuck(
  name: string,
  answers: Float32Array,
  truth: Float32Array | TargetValues,
  names: readonly string[],
  why = PROBABLY,
): string | undefined {
  const width = names.length;
  const at = stuckAt(answers, truth, width, truth instanceof Int32Array ? 1 : undefined);
  if (at !== -1)
    return `${name}: answers nearly the same for ${names[at]!} to all of ${answers.length / width} samples; ${why}`;
  if (!areProbabilities(answers, width)) return undefined;
  return `${name}: all of its answers lie between 0 and 1, as probabilities do, and are read as logits; leave out the sigmoid at its end`;
}

export const tasks: Tasks = { 'multi-label': ({ classNames }) => multiLabel(classNames) };
