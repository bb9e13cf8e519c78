import * as tf from '@tensorflow/tfjs-core';
import { shown, UserError } from '../../base/errors.ts';
import { percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { IGNORED } from '../../data/targets/ignored.ts';
import { crossEntropy, softenedDivergence } from '../classes/task.ts';
import { isAboveZero, PROBABLY } from '../../tasks/columns.ts';
import { oneField } from '../../tasks/fields.ts';
import { asGiven } from '../../tasks/targets.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Tasks } from '../../tasks/registry.ts';
import type { Mixed, Task, TaskData } from '../../tasks/task.ts';
import type { PixelConfusion } from './confusion.ts';
import { confusionOfMasks, meanIou } from './confusion.ts';
import { masksOf } from './masks.ts';
import type { Grid } from './masks.ts';
import { softDice } from './dice.ts';
import { sharesOfCells } from './shares.ts';

/**
 * A class for each pixel. Answers are logits at every `stride`-th pixel, [batch, height / stride · width / stride · classes]; targets are masks at
 * full size, [batch, height · width] uint8, in which `IGNORED` marks pixels without a class. Masks of answers are made of logits that are resized
 * bilinearly to full size. Losses compare the cells of the grid with the share of each class in the cell's pixels.
 */
export function segmentation(data: Omit<TaskData, 'task'>): Task {
  const { classNames: names, sampleShape, stride = 1, pixelWeights } = data;
  const [height, width] = sampleShape as readonly [number, number, number];
  const classes = names.length;
  const grid: Grid = { rows: height / stride, columns: width / stride, classes, stride };
  const cells = grid.rows * grid.columns;
  const pixels = height * width;
  const answerWidth = cells * classes;
  const masks = (answers: Float32Array): Uint8Array => masksOf(answers, grid);
  const confusion = (answers: Float32Array, targets: TargetValues): PixelConfusion =>
    confusionOfMasks(masks(answers), targets, classes);
  const scoreOf = (answers: Float32Array, targets: TargetValues): number => meanIou(confusion(answers, targets));
  const shares = (targets: TargetValues): Float32Array => sharesOfCells(targets, grid);
  const atCells = (values: tf.Tensor): tf.Tensor2D => tf.reshape(values, [-1, classes]);
  const byClass =
    (factors: readonly number[] | undefined) =>
    (values: tf.Tensor2D): tf.Tensor2D =>
      factors === undefined ? values : tf.mul(values, tf.tensor1d([...factors]));
  const weighed = byClass(pixelWeights && [...pixelWeights]);
  const unweighed = byClass(pixelWeights && Array.from(pixelWeights, (weight) => (weight === 0 ? 0 : 1 / weight)));
  return {
    name: 'segmentation',
    names,
    fields: oneField([grid.rows, grid.columns, classes]),
    width: answerWidth,
    targetWidth: pixels,
    score: scoreOfTask('segmentation'),
    answers: 'logits',
    lossName: 'ce',
    trainsOn: 'soft',
    labelNumbers: ({ dice }) => (dice === undefined ? {} : { dice }),
    weightOf: (targets, labelled) => {
      const own = labelledShares(targets, pixels, pixelWeights);
      return pixelWeights === undefined || labelled === undefined
        ? own
        : own.map((weight, i) => (labelled[i] === 0 ? 1 : weight));
    },
    feeds: (batchSize, mix) =>
      mix === 'none'
        ? { labels: { dtype: 'int32', shape: [batchSize, pixels] } }
        : { targets: { dtype: 'float32', shape: [batchSize, answerWidth] } },
    fed: (targets, where) => {
      checkMasks(targets, classes, [height, width], where);
      return { labels: Int32Array.from(targets), targets: shares(targets) };
    },
    targets: (feeds, mix) => (mix === 'none' ? feeds['labels'] : feeds['targets']) as tf.Tensor2D,
    mixedValues: (targets, mix) => mixedShares(shares(targets), mix, answerWidth),
    forLoss: asGiven,
    rows: {
      of: atCells,
      targets: (targets) => {
        const each = weighed(atCells(softTargets(targets, grid)));
        return tf.div(each, tf.maximum(tf.sum(each, -1, true), 1e-6));
      },
      // Each pixel with a class has the same weight, or that of its class.
      weights: (samples, targets) => {
        const sums = tf.reshape(tf.sum(weighed(atCells(softTargets(targets, grid))), -1), [-1, cells]);
        // All cells of a picture without a mask count, also if its numbers stand for a class of weight 0.
        const isBlank = tf.cast(tf.equal(tf.sum(sums, -1, true), 0), 'float32');
        const labelled = pixelWeights === undefined ? sums : tf.add(sums, isBlank);
        const each = tf.div(samples, tf.maximum(tf.sum(labelled, -1), 1e-6));
        return tf.reshape(tf.mul(labelled, tf.expandDims(each, 1)), [-1]);
      },
    },
    loss: (logits, targets) => crossEntropy(logits, targets, {}),
    batchLoss: (logits, targets, weights, { dice }) =>
      dice && tf.mul(softDice(logits, unweighed(tf.mul(targets, tf.expandDims(weights, 1)))), dice),
    divergence: softenedDivergence,
    sums: (logits, targets, weights) => confusionSums(logits, targets, weights, grid),
    scoreOfSums: (sums) => meanIou(confusionOfSums(sums, classes)),
    scoreOf,
    describe: (answers, targets) => ({ masks: confusion(answers, targets).described(names) }),
    beside: (answers, teacher) => ({ distance: distanceOf(answers, teacher) }),
    masks: {
      size: [height, width],
      given: (answers, row) => masks(answers.subarray(row * answerWidth, (row + 1) * answerWidth)),
      there: (targets, row) => targets.subarray(row * pixels, (row + 1) * pixels),
    },
    textOf: (answers, row) => areasText(masks(answers.subarray(row * answerWidth, (row + 1) * answerWidth)), names),
    labelText: (targets, row) => areasText(targets.subarray(row * pixels, (row + 1) * pixels), names),
    disagreement: (answers, others) => differingShares(masks(answers), masks(others), pixels),
    asTargets: masks,
    ignorance: (targets) => {
      const { counts } = confusionOfMasks(new Uint8Array(targets.length), targets, classes);
      const most = Math.max(...counts.map((row) => row[0]!));
      const all = counts.reduce((sum, row) => sum + row[0]!, 0);
      const present = counts.filter((row) => row[0]! > 0).length;
      return all === 0 ? 0 : most / all / present;
    },
    isWorse: (answers, than, targets) =>
      isAboveZero(differences(rightShares(masks(than), targets, pixels), rightShares(masks(answers), targets, pixels))),
    skill: (answers, targets) => {
      const given = masks(answers);
      const others = moved(given, pixels);
      const chance = meanIou(confusionOfMasks(others, targets, classes));
      return {
        score: meanIou(confusionOfMasks(given, targets, classes)),
        isBetter: isAboveZero(differences(rightShares(given, targets, pixels), rightShares(others, targets, pixels))),
        chance: `the same answers to other pictures have a mean IoU of ${percent(chance, 1)}`,
      };
    },
    stuck: (name, answers, _truth, why = PROBABLY) => {
      const given = masks(answers);
      const first = given[0];
      if (given.length === pixels || given.some((value) => value !== first)) return undefined;
      return `${name}: gives all pixels of ${given.length / pixels} samples the class ${names[first!]!}; ${why}`;
    },
  };
}

/** Share of the pixels of each sample that have a class; each counts by the weight of its class, default 1. */
function labelledShares(targets: TargetValues, pixels: number, weights: Float32Array | undefined): Float32Array {
  return Float32Array.from({ length: targets.length / pixels }, (_, row) => {
    let labelled = 0;
    for (let at = row * pixels; at < (row + 1) * pixels; at++)
      if (targets[at] !== IGNORED) labelled += weights?.[targets[at]!] ?? 1;
    return labelled / pixels;
  });
}

/** Shares of the classes in each cell, [batch, cells · classes]: as they were fed, or of masks [batch, pixels] of whole numbers. */
function softTargets(targets: tf.Tensor2D, { rows, columns, classes, stride }: Grid): tf.Tensor2D {
  if (targets.dtype !== 'int32') return targets;
  const labels = tf.reshape(targets, [-1, rows * stride, columns * stride]);
  const oneHot = tf.oneHot(labels, classes, 1, 0, 'float32') as tf.Tensor4D;
  const shares = stride === 1 ? oneHot : tf.avgPool(oneHot, stride, stride, 'valid');
  return tf.reshape(shares, [-1, rows * columns * classes]);
}

/**
 * Sums of a confusion matrix by class: `right`, `given` and `there`, in pixels. Of masks at full size, an evaluation; of shares of cells, the running
 * score of a training, in cells.
 */
function confusionSums(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  weights: tf.Tensor1D,
  { rows, columns, classes, stride }: Grid,
): Record<string, tf.Scalar> {
  const answers = tf.reshape<tf.Rank.R4>(logits, [-1, rows, columns, classes]);
  const isFull = targets.dtype === 'int32';
  const large =
    isFull && stride > 1 ? tf.image.resizeBilinear(answers, [rows * stride, columns * stride], false, true) : answers;
  const given = tf.oneHot(tf.reshape(tf.argMax(large, -1), [-1]), classes, 1, 0, 'float32') as tf.Tensor2D;
  const truth: tf.Tensor2D = isFull
    ? (tf.oneHot(tf.reshape(targets, [-1]), classes, 1, 0, 'float32') as tf.Tensor2D)
    : tf.reshape(targets, [-1, classes]);
  // Padding samples have weight 0; the pixels of all others count fully, whatever their weight.
  const each = truth.shape[0] / weights.shape[0];
  const isThere = tf.cast(tf.greater(weights, 0), 'float32');
  const known = tf.reshape(tf.mul(tf.reshape(truth, [weights.shape[0], each * classes]), tf.expandDims(isThere, 1)), [
    -1,
    classes,
  ]);
  const matrix = tf.matMul(known, given, true, false);
  const diagonal = tf.sum(tf.mul(matrix, tf.eye(classes)), 0);
  const at = (values: tf.Tensor, c: number): tf.Scalar => tf.reshape(tf.slice(values, [c], [1]), []);
  const [byGiven, byTruth] = [tf.sum(matrix, 0), tf.sum(matrix, 1)];
  return Object.fromEntries(
    Array.from({ length: classes }, (_, c) => [
      [`right${c}`, at(diagonal, c)] as const,
      [`given${c}`, at(byGiven, c)] as const,
      [`there${c}`, at(byTruth, c)] as const,
    ]).flat(),
  );
}

function confusionOfSums(sums: Readonly<Record<string, number>>, classes: number) {
  const of = (name: string): number[] => Array.from({ length: classes }, (_, c) => sums[`${name}${c}`]!);
  return { right: of('right'), given: of('given'), there: of('there') };
}

function mixedShares(own: Float32Array, { partners, lambda }: Mixed, width: number): Float32Array {
  return own.map((value, at) => {
    const [row, c] = [Math.floor(at / width), at % width];
    const other = own[partners[row]! * width + c]!;
    return other + (value - other) * lambda[row]!;
  });
}

/** Root mean squared difference of the logits. */
function distanceOf(answers: Float32Array, teacher: Float32Array): number {
  return Math.sqrt(answers.reduce((sum, value, i) => sum + (value - teacher[i]!) ** 2, 0) / answers.length);
}

/** Share of the labelled pixels of each sample with the right class. */
function rightShares(masks: Uint8Array, targets: TargetValues, pixels: number): number[] {
  return Array.from({ length: targets.length / pixels }, (_, row) => {
    let [right, labelled] = [0, 0];
    for (let at = row * pixels; at < (row + 1) * pixels; at++) {
      if (targets[at] === IGNORED) continue;
      labelled++;
      if (masks[at] === targets[at]) right++;
    }
    return labelled === 0 ? 0 : right / labelled;
  });
}

function differences(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value - b[i]!);
}

/** Share of the pixels of each sample with another class in the other masks. */
function differingShares(masks: Uint8Array, others: Uint8Array, pixels: number): Float32Array {
  return Float32Array.from({ length: masks.length / pixels }, (_, row) => {
    let differing = 0;
    for (let at = row * pixels; at < (row + 1) * pixels; at++) if (masks[at] !== others[at]) differing++;
    return differing / pixels;
  });
}

/** The masks, each given to the sample before it. */
function moved(masks: Uint8Array, pixels: number): Uint8Array {
  const out = new Uint8Array(masks.length);
  out.set(masks.subarray(pixels));
  out.set(masks.subarray(0, pixels), masks.length - pixels);
  return out;
}

/** Areas of the classes of a mask, the largest first: `road 61.2 %, car 8.0 %`. */
function areasText(mask: TargetValues, names: readonly string[]): string {
  const counts = names.map(() => 0);
  for (const value of mask) if (value !== IGNORED) counts[value]!++;
  const order = names
    .map((_, c) => c)
    .filter((c) => counts[c]! > 0)
    .sort((a, b) => counts[b]! - counts[a]! || a - b);
  return order.map((c) => `${names[c]!} ${percent(counts[c]! / mask.length, 1)}`).join(', ') || 'none';
}

/** `UserError` for a class outside 0 … classes - 1, with its pixel. */
function checkMasks(targets: TargetValues, classes: number, [height, width]: readonly [number, number], where: string) {
  const bad = targets.findIndex((value) => value !== IGNORED && !(value >= 0 && value < classes));
  if (bad === -1) return;
  const pixel = bad % (height * width);
  throw new UserError(
    `${where}: pixel ${pixel % width}, ${Math.floor(pixel / width)} of sample ${Math.floor(bad / (height * width))} has the class ${shown(targets[bad])}, and the model has the classes 0 … ${classes - 1}`,
    `Check the masks of the data set; ${IGNORED} marks pixels without a class.`,
  );
}

export const tasks: Tasks = { segmentation };
