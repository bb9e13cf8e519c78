import * as tf from '@tensorflow/tfjs-core';
import { shown, UserError } from '../../base/errors.ts';
import { percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import type { ChosenScore } from '../../recipe/answer-forms.ts';
import { calibrationOf } from './calibration.ts';
import { accuracyOf, beatsChance, largestShare } from '../../tasks/classification/chance.ts';
import {
  betweenClasses,
  classesOf,
  classText,
  confusionOf,
  hits,
  isWorse,
  MOST_IN_MATRIX,
  perClassOf,
  sideBySide,
} from '../../tasks/classification/classes.ts';
import { classFiguresOf } from './figures.ts';
import { refuseUnscored, scoredBy } from './scores.ts';
import { oneClassWarning } from '../../tasks/classification/one-class.ts';
import { divergence } from '../../tasks/divergence.ts';
import { oneField } from '../../tasks/fields.ts';
import { asGiven, mixedTargets, mixFeeds, numberFeeds } from '../../tasks/targets.ts';
import type { Hyper, Mixed, Task } from '../../tasks/task.ts';
import type { Tasks } from '../../tasks/registry.ts';

/** One class for each sample, by softmax over a logit for each class. Only `score` depends on the choice of a score: `skill` and `isWorse` count right answers. */
export function classification(names: readonly string[] | number, score: ChosenScore = 'accuracy'): Task {
  const classes = typeof names === 'number' ? Array.from({ length: names }, (_, i) => String(i)) : names;
  const width = classes.length;
  const predicted = (answers: Float32Array): Int32Array => classesOf(answers, width);
  return {
    name: 'classification',
    names: classes,
    classes,
    fields: oneField([width]),
    width,
    targetWidth: 1,
    answers: 'logits',
    lossName: 'ce',
    labelNumbers: ({ labelSmoothing = 0 }) => ({ labelSmoothing }),
    feeds: (batchSize, mix) =>
      mix === 'soft'
        ? numberFeeds(batchSize, width, 'none')
        : { labels: { dtype: 'int32', shape: [batchSize] }, ...(mix === 'partners' && mixFeeds(batchSize)) },
    fed: (labels, where, mix) => {
      checkLabels(labels, width, where);
      return { labels, ...mix };
    },
    targets: (feeds, mix) => {
      if (mix === 'soft') return feeds['targets'] as tf.Tensor2D;
      const oneHot = tf.oneHot(feeds['labels'] as tf.Tensor1D, width, 1, 0, 'float32') as tf.Tensor2D;
      return mix === 'partners' ? mixedTargets(oneHot, feeds) : oneHot;
    },
    mixedValues: (labels, mix) => mixedLabels(labels, mix, width),
    forLoss: asGiven,
    loss: crossEntropy,
    divergence: softenedDivergence,
    ...scoredBy(score, width),
    refuseUnscored,
    describe: (logits, targets) => {
      const labels = targets as Int32Array;
      return {
        calibration: calibrationOf(logits, labels, width),
        classFigures: classFiguresOf(logits, labels, width),
        ...(width <= MOST_IN_MATRIX
          ? { confusion: { counts: confusionOf(predicted(logits), labels, width) } }
          : { perClass: perClassOf(predicted(logits), labels, width) }),
      };
    },
    beside: (logits, teacher, labels) => {
      const { onlyOther, ...counts } = sideBySide(predicted(logits), predicted(teacher), labels as Int32Array);
      return { agreement: { ...counts, onlyTeacher: onlyOther } };
    },
    asTargets: predicted,
    textOf: (answers, row) => classText(answers, row, classes),
    labelText: (targets, row) => classes[targets[row]!]!,
    disagreement: (answers, others) => betweenClasses(answers, others, width),
    isWorse: (logits, than, labels) => isWorse(hits(predicted(logits), labels), hits(predicted(than), labels)),
    skill: (logits, labels) => ({
      score: accuracyOf(logits, labels, width),
      isBetter: beatsChance(logits, labels, width),
      chance: `the most frequent class alone gives ${percent(largestShare(labels, width), 1)}`,
    }),
    stuck: (name, logits, truth, why) =>
      oneClassWarning(name, predicted(logits), truth instanceof Float32Array ? predicted(truth) : truth, classes, why),
  };
}

/** -Σ_k target_k · log softmax(logits)_k of each row, with targets smoothed by `labelSmoothing` if it is fed. */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D, { labelSmoothing }: Hyper): tf.Tensor1D {
  const goal = labelSmoothing === undefined ? targets : smoothed(targets, labelSmoothing);
  return tf.neg(tf.sum(tf.mul(goal, tf.logSoftmax(logits)), -1));
}

/** Szegedy et al. 2016, "Rethinking the Inception architecture", section 7: `share` of the target spread over all classes. */
function smoothed(targets: tf.Tensor2D, share: tf.Scalar): tf.Tensor2D {
  return tf.add(tf.mul(targets, tf.sub(1, share)), tf.div(share, targets.shape[1]));
}

/** KL(softmax(t/T) ‖ softmax(s/T)) of each row. */
export function softenedDivergence(teacher: tf.Tensor2D, student: tf.Tensor2D, temperature: tf.Scalar): tf.Tensor1D {
  return divergence(tf.logSoftmax(tf.div(teacher, temperature)), tf.logSoftmax(tf.div(student, temperature)));
}

/** Mixed labels [n, classes], in the same float32 arithmetic as in a step. */
function mixedLabels(labels: TargetValues, { partners, lambda }: Mixed, classes: number): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    const other = labels[partners[i]!]!;
    if (other === label) {
      targets[i * classes + label] = 1;
      return;
    }
    targets[i * classes + label] = lambda[i]!;
    targets[i * classes + other] = 1 - lambda[i]!;
  });
  return targets;
}

/** `UserError` for a label outside 0 … classes - 1, whose one-hot would be all zero. */
function checkLabels(labels: TargetValues, classes: number, where: string): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label >= 0 && label < classes) continue;
    throw new UserError(
      `${where}: the label of sample ${i} is ${shown(label)}, and the model has the classes 0 … ${classes - 1}`,
      'Check the labels of the data set, or give the model as many classes as the labels have.',
    );
  }
}

export const tasks: Tasks = { classification: ({ classNames, score }) => classification(classNames, score) };
