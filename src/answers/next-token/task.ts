import * as tf from '@tensorflow/tfjs-core';
import { shown, UserError } from '../../base/errors.ts';
import { argMax, digits, percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { oneClassWarning } from '../../tasks/classification/one-class.ts';
import { surest } from '../../tasks/classification/classes.ts';
import { isAboveZero } from '../../tasks/columns.ts';
import { oneField } from '../../tasks/fields.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Tasks } from '../../tasks/registry.ts';
import { asGiven } from '../../tasks/targets.ts';
import type { Task } from '../../tasks/task.ts';
import { crossEntropy, softenedDivergence } from '../classes/task.ts';
import { bitsByFrequency, bitsOf, bitsOfPlaces, nextTokenReport, perByte, askedPlaces } from './bits.ts';
import type { AnswerSize } from './bits.ts';
import { TAIL } from './pack.ts';

/**
 * The token behind each place of a sequence, by softmax over the tokens. Answers are [batch, length · tokens], targets [batch, length + TAIL]: ids of the
 * next tokens, `NO_TOKEN` where none is asked for, then bytes and words of their text. The score is the cross-entropy in bits per byte (Gao et al. 2020, "The
 * Pile", section 3.1), which does not depend on the tokenizer.
 */
export function nextToken(names: readonly string[], length: number): Task {
  const tokens = names.length;
  const width = length * tokens;
  const targetWidth = length + TAIL;
  const size = { length, tokens };
  const asRows = (values: tf.Tensor): tf.Tensor2D => tf.reshape<tf.Rank.R2>(values, [-1, tokens]);
  const idsOf = (targets: tf.Tensor2D): tf.Tensor1D =>
    tf.reshape<tf.Rank.R1>(tf.cast(tf.slice(targets, [0, 0], [-1, length]), 'int32'), [-1]);
  const oneHot = (targets: tf.Tensor2D): tf.Tensor2D =>
    tf.oneHot(idsOf(targets), tokens, 1, 0, 'float32') as tf.Tensor2D;
  const asked = (targets: tf.Tensor2D): tf.Tensor2D =>
    tf.cast(tf.greaterEqual(tf.slice(targets, [0, 0], [-1, length]), 0), 'float32');
  const scoreOf = (answers: Float32Array, targets: TargetValues): number =>
    perByte(bitsOf(answers, targets, size), targets, length);
  const lastOf = (targets: TargetValues, row: number) =>
    [...askedPlaces(targets.subarray(row * targetWidth, (row + 1) * targetWidth), length)].at(-1);
  return {
    name: 'next-token',
    names,
    fields: oneField([length, tokens]),
    width,
    targetWidth,
    score: scoreOfTask('next-token'),
    answers: 'logits',
    lossName: 'ce',
    labelNumbers: () => ({}),
    weightOf: (targets) => {
      const counts = new Float32Array(targets.length / targetWidth);
      for (const { row } of askedPlaces(targets, length)) counts[row]!++;
      return counts;
    },
    feeds: (batchSize, mix) => {
      refuseMix(mix !== 'none');
      return { labels: { dtype: 'int32', shape: [batchSize, targetWidth] } };
    },
    fed: (targets, where, mix) => {
      refuseMix(mix !== undefined);
      checkTokens(targets, size, where);
      return { labels: targets };
    },
    targets: (feeds) => tf.cast(feeds['labels'] as tf.Tensor2D, 'float32'),
    mixedValues: () => {
      throw new Error(UNMIXED);
    },
    forLoss: asGiven,
    // A row is a place: a sample's weight is proportional to the tokens that are asked for, so that all tokens weigh the same.
    rows: {
      of: asRows,
      targets: oneHot,
      weights: (samples, targets) => {
        const mask = asked(targets);
        const each = tf.div(samples, tf.maximum(tf.sum(mask, -1), 1));
        return tf.reshape<tf.Rank.R1>(tf.mul(mask, tf.expandDims(each, 1)), [-1]);
      },
    },
    loss: (logits, targets) => crossEntropy(logits, targets, {}),
    divergence: softenedDivergence,
    sums: (logits, targets, weights) => {
      // Padding samples have weight 0; the tokens of all others count fully, whatever their weight.
      const isThere = tf.cast(tf.greater(weights, 0), 'float32');
      const each = tf.reshape(crossEntropy(asRows(logits), oneHot(targets), {}), [-1, length]);
      const bytes = tf.reshape(tf.slice(targets, [0, length], [-1, 1]), [-1]);
      return {
        bits: tf.div(tf.sum(tf.mul(tf.sum(tf.mul(each, asked(targets)), -1), isThere)), Math.LN2),
        bytes: tf.sum(tf.mul(bytes, isThere)),
      };
    },
    scoreOfSums: ({ bits = 0, bytes = 0 }) => bits / Math.max(1, bytes),
    scoreOf,
    describe: (answers, targets) => ({ nextTokens: nextTokenReport(answers, targets, size) }),
    beside: (answers, teacher, targets) => ({ distance: distanceOf(answers, teacher, targets, size) }),
    textOf: (answers, row, targets) => {
      const last = lastOf(targets, row);
      if (last === undefined) return 'none';
      const own = answers.subarray(row * width, (row + 1) * width);
      const { best: id, probability } = surest(own, last.at * tokens, tokens);
      return `${names[id]!} (${percent(probability, 1)})`;
    },
    labelText: (targets, row) => {
      const last = lastOf(targets, row);
      return last === undefined ? 'none' : names[last.id]!;
    },
    disagreement: (answers, others, targets) => {
      const most = new Float32Array(targets.length / targetWidth);
      for (const { at, row } of askedPlaces(targets, length)) {
        const [own, its] = [surest(answers, at * tokens, tokens), surest(others, at * tokens, tokens)];
        if (own.best !== its.best) most[row] = Math.max(most[row]!, Math.min(own.probability, its.probability));
      }
      return most;
    },
    asTargets: () => {
      throw new Error('next tokens are never made of answers: the texts say them');
    },
    ignorance: (targets) => perByte(bitsByFrequency(targets, length), targets, length),
    isWorse: (answers, than, targets) => {
      const [own, its] = [bitsOf(answers, targets, size), bitsOf(than, targets, size)];
      return isAboveZero(own.map((bits, i) => bits - its[i]!));
    },
    skill: (answers, targets) => {
      const [own, chance] = [bitsOf(answers, targets, size), bitsByFrequency(targets, length)];
      return {
        score: perByte(own, targets, length),
        isBetter: isAboveZero(own.map((bits, i) => chance[i]! - bits)),
        chance: `the frequencies of the tokens alone give ${digits(perByte(chance, targets, length))} bits per byte`,
      };
    },
    stuck: (name, answers, given, why) =>
      oneClassWarning(
        name,
        Int32Array.from({ length: answers.length / tokens }, (_, at) => argMax(answers, at * tokens, tokens)),
        given instanceof Float32Array
          ? Int32Array.from({ length: given.length / tokens }, (_, at) => argMax(given, at * tokens, tokens))
          : Int32Array.from(askedPlaces(given, length), ({ id }) => id),
        names,
        why,
      ),
  };
}

/** Root mean squared difference of the logarithms of the probabilities of the true tokens, in bits. */
function distanceOf(answers: Float32Array, teacher: Float32Array, targets: TargetValues, size: AnswerSize): number {
  const [own, its] = [bitsOfPlaces(answers, targets, size), bitsOfPlaces(teacher, targets, size)];
  return Math.sqrt(own.reduce((sum, bits, i) => sum + (bits - its[i]!) ** 2, 0) / Math.max(1, own.length));
}

const UNMIXED = 'texts are not mixed';

function refuseMix(isMixed: boolean): void {
  if (isMixed) throw new Error(UNMIXED);
}

function checkTokens(targets: TargetValues, { length, tokens }: AnswerSize, where: string): void {
  for (const { at, row, id } of askedPlaces(targets, length)) {
    if (id < tokens) continue;
    throw new UserError(
      `${where}: place ${at % length} of sequence ${row} has the token ${shown(id)}, and the model has the tokens 0 … ${tokens - 1}`,
      'Use the tokenizer that the model was trained with.',
    );
  }
}

export const tasks: Tasks = { 'next-token': ({ classNames, text }) => nextToken(classNames, text!.length) };
