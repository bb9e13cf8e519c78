import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import type { Dataset, TargetValues } from '../../data/dataset.ts';
import type { ChosenScore } from '../../recipe/answer-forms.ts';
import { scoreFrom } from '../../tasks/score.ts';
import { SCORES } from './index.ts';
import type { Task } from '../../tasks/task.ts';
import { accuracyOf } from '../../tasks/classification/chance.ts';
import { classesOf } from '../../tasks/classification/classes.ts';
import { aucOf, logLossOf, macroF1Of } from './figures.ts';

/** Parts of a task that compute the score of its answers. */
type Scored = Pick<Task, 'score' | 'sums' | 'scoreOfSums' | 'collects' | 'scoreOf' | 'ignorance'>;

/** Scores of one class for each sample, by the value of `dataset.score`. */
const SCORED: Readonly<Record<ChosenScore, (classes: number) => Scored>> = {
  accuracy: (classes) => ({
    score: scoreFrom(SCORES.accuracy),
    sums: (logits, targets, weights) => ({ correct: correct(logits, targets, weights) }),
    scoreOfSums: ({ correct: right }, weight) => right! / weight,
    scoreOf: (logits, labels) => accuracyOf(logits, labels, classes),
    ignorance: () => 1 / classes,
  }),
  'roc-auc': (classes) => {
    const scoreOf = (logits: Float32Array, labels: ArrayLike<number>): number =>
      aucOf(logits, labels, classes) ?? refuseOneClass(labels);
    return {
      score: scoreFrom(SCORES['roc-auc']),
      scoreOf,
      ignorance: () => 0.5,
      ...collected(classes, (logits) => logits, scoreOf),
    };
  },
  'macro-f1': (classes) => ({
    score: scoreFrom(SCORES['macro-f1']),
    scoreOf: (logits, labels) => macroF1Of(classesOf(logits, classes), labels, classes),
    ...collected(
      1,
      (logits) => Float32Array.from(classesOf(logits, classes)),
      (given, labels) => macroF1Of(given, labels, classes),
    ),
    ignorance: (labels) => macroF1Of(new Float32Array(labels.length).fill(mostFrequent(labels)), labels, classes),
  }),
  'log-loss': (classes) => ({
    score: scoreFrom(SCORES['log-loss']),
    sums: (logits, targets, weights) => ({ logLoss: tf.sum(tf.mul(lossOfClass(logits, targets), weights)) }),
    scoreOfSums: ({ logLoss }, weight) => logLoss! / weight,
    scoreOf: (logits, labels) => logLossOf(logits, labels, classes),
    ignorance: () => Math.log(classes),
  }),
};

/** The parts of a task of classes that compute the score of this name. */
export function scoredBy(score: ChosenScore, classes: number): Scored {
  return SCORED[score](classes);
}

/** A score that is no function of sums: of each sample some numbers are kept, and its label. */
function collected(
  width: number,
  numbersOf: (logits: Float32Array) => Float32Array,
  scoreOf: (numbers: Float32Array, labels: Float32Array) => number,
): Pick<Scored, 'sums' | 'scoreOfSums' | 'collects'> {
  return {
    sums: () => ({}),
    scoreOfSums: () => undefined,
    collects: {
      width: width + 1,
      of: (logits, labels) => {
        const numbers = numbersOf(logits);
        const rows = new Float32Array(labels.length * (width + 1));
        labels.forEach((label, i) => {
          rows.set(numbers.subarray(i * width, (i + 1) * width), i * (width + 1));
          rows[(i + 1) * (width + 1) - 1] = label;
        });
        return rows;
      },
      scoreOf: (rows) => {
        const isLabel = (_: number, at: number): boolean => at % (width + 1) === width;
        return scoreOf(
          rows.filter((value, at) => !isLabel(value, at)),
          rows.filter(isLabel),
        );
      },
    },
  };
}

/** `UserError` for splits with labels that the score of their recipe is not defined for. */
export function refuseUnscored(splits: readonly (Dataset | undefined)[]): void {
  for (const split of splits) {
    // Answers of the teacher will stand in for labels that are not known.
    if (split?.score !== 'roc-auc' || split.labelled !== undefined) continue;
    if (new Set(split.targets).size < 2) refuseOneClass(split.targets, `the ${split.name} split`);
  }
}

function refuseOneClass(labels: ArrayLike<number>, where = 'a split'): never {
  throw new UserError(
    `dataset.score: roc-auc needs samples of at least two classes, received ${labels.length} samples of one class in ${where}`,
    'Set `dataset.score: log-loss` or `accuracy`, or give the split samples of other classes.',
  );
}

function mostFrequent(labels: TargetValues): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

function correct(logits: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor1D): tf.Scalar {
  const hit = tf.cast(tf.equal(tf.argMax(logits, -1), tf.argMax(targets, -1)), 'float32');
  return tf.sum(tf.mul(hit, weights));
}

/** -log of the probability of the class of each row; of mixed targets, that of their mixture. */
function lossOfClass(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D {
  return tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), -1));
}
