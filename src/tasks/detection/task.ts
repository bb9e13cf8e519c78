import * as tf from '@tensorflow/tfjs-core';
import { shown, UserError } from '../../base/errors.ts';
import { percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { detectorPoints } from '../../data/points.ts';
import { BOX_WIDTH, boxesOf, boxesWidth, NO_BOX } from '../../data/targets/boxes.ts';
import { isAboveZero, PROBABLY } from '../columns.ts';
import { fieldValues, joinedValues, widthOfFields } from '../fields.ts';
import { apScore } from '../score.ts';
import { asGiven, numberFeeds } from '../targets.ts';
import type { Task, TaskData } from '../task.ts';
import { assigned } from './assignment.ts';
import { meanAveragePrecision, boxFigures } from './average-precision.ts';
import { pointDivergence, pointLoss } from './box-loss.ts';
import {
  asTargetRow,
  boxesOfAll,
  boxesText,
  detectionRow,
  detectionsOf,
  detectionsText,
  pictureF1,
  SHOWN_SCORE,
} from './detections.ts';
import type { Detection } from './detections.ts';
import { DETECTION_WIDTH, MAX_DETECTIONS } from './suppression.ts';

/** Length of a row of detections. */
const ROW = MAX_DETECTIONS * DETECTION_WIDTH;

/**
 * Boxes with a class each. An answer has two fields: `boxes` [points, 4] xmin, ymin, xmax, ymax as shares of the picture's width and height, and
 * `scores` [points, classes] logits, at the points of `detectorPoints`. Targets are rows of `src/data/targets/boxes.ts`. Losses compare points, to which
 * boxes are assigned at each step by the student's answers.
 */
export function detection({ classNames: names, sampleShape, maxBoxes = 1 }: Omit<TaskData, 'task'>): Task {
  const [height, width] = sampleShape as readonly [number, number, number];
  const classes = names.length;
  const points = detectorPoints(height, width);
  const { count } = points;
  const answerWidth = count * (4 + classes);
  const targetWidth = boxesWidth(maxBoxes);
  // Collected of each sample.
  const kept = [
    { name: 'found', shape: [ROW] },
    { name: 'truth', shape: [targetWidth] },
  ];
  const parts = (answers: tf.Tensor2D): readonly [boxes: tf.Tensor3D, logits: tf.Tensor3D] => [
    tf.reshape(tf.slice(answers, [0, 0], [-1, 4 * count]), [-1, count, 4]),
    tf.reshape(tf.slice(answers, [0, 4 * count], [-1, classes * count]), [-1, count, classes]),
  ];
  const rowsOf = (answers: tf.Tensor2D): tf.Tensor2D =>
    tf.reshape(tf.concat([...parts(answers)], -1), [-1, 4 + classes]);
  // An assignment is a constant for gradients.
  const assign = (answers: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor2D =>
    tf.customGrad((given) => {
      const [boxes, logits] = parts(given as tf.Tensor2D);
      return {
        value: assigned(boxes, logits, targets, { points, classes }),
        gradFunc: () => tf.zeros([answers.shape[0], answerWidth]),
      };
    })(answers);
  const found = (answers: Float32Array): Float32Array => {
    const out = new Float32Array((answers.length / answerWidth) * ROW);
    for (let row = 0; row < answers.length / answerWidth; row++)
      out.set(detectionRow(answers.subarray(row * answerWidth, (row + 1) * answerWidth), count), row * ROW);
    return out;
  };
  const figures = (rows: Float32Array, targets: TargetValues) => boxFigures(rows, targets, { classes, most: maxBoxes });
  const apOf = (rows: Float32Array, targets: TargetValues): number =>
    meanAveragePrecision(rows, targets, { classes, most: maxBoxes }) ?? 0;
  const eachF1 = (rows: Float32Array, targets: TargetValues): number[] => {
    const truth = boxesOfAll(targets, targetWidth);
    return shownIn(rows).map((own, i) => pictureF1(own, truth[i]!));
  };
  const rowOf = (answers: Float32Array, row: number): Float32Array =>
    found(answers.subarray(row * answerWidth, (row + 1) * answerWidth));
  return {
    name: 'detection',
    names,
    fields: [
      { name: 'boxes', shape: [count, 4] },
      { name: 'scores', shape: [count, classes] },
    ],
    ...{ width: answerWidth, targetWidth, score: apScore, answers: 'logits', lossName: 'boxes' },
    labelNumbers: () => ({}),
    // Each box has the same weight; a picture without boxes counts as if it had one.
    weightOf: (targets) => Float32Array.from(boxesOfAll(targets, targetWidth), (boxes) => Math.max(1, boxes.length)),
    feeds: (batchSize) => numberFeeds(batchSize, targetWidth, 'none'),
    fed: (targets, where) => {
      checkBoxes(targets, targetWidth, classes, where);
      return { targets: Float32Array.from(targets) };
    },
    targets: (feeds) => feeds['targets'] as tf.Tensor2D,
    mixedValues: () => {
      throw new Error('boxes are not mixed');
    },
    forLoss: asGiven,
    rows: {
      of: rowsOf,
      targets: (targets, answers) => assign(answers, targets),
      weights: (samples) => tf.reshape(tf.mul(tf.expandDims(samples, 1), tf.fill([1, count], 1 / count)), [-1]),
    },
    loss: pointLoss,
    sums: () => ({}),
    scoreOfSums: () => undefined,
    divergence: (teacher, student, temperature) => pointDivergence(teacher, student, temperature, count),
    collects: {
      width: widthOfFields(kept),
      of: (answers, targets) => {
        const rows = found(answers);
        return joinedValues({ found: rows, truth: targets as Float32Array }, kept, rows.length / ROW);
      },
      scoreOf: (collected) => apOf(fieldValues(collected, kept, 'found'), fieldValues(collected, kept, 'truth')),
    },
    scoreOf: (answers, targets) => apOf(found(answers), targets),
    describe: (answers, targets) => ({ boxes: described(figures(found(answers), targets), names) }),
    beside: () => ({}),
    boxes: {
      given: (answers, row) => detectionsOf(rowOf(answers, row), SHOWN_SCORE),
      there: (targets, row) => boxesOf(targets, row * targetWidth, maxBoxes),
    },
    textOf: (answers, row) => detectionsText(detectionsOf(rowOf(answers, row), SHOWN_SCORE), names),
    labelText: (targets, row) => boxesText(boxesOf(targets, row * targetWidth, maxBoxes), names),
    disagreement: (answers, others) => {
      const theirs = shownIn(found(others));
      return Float32Array.from(shownIn(found(answers)), (own, i) => 1 - pictureF1(own, theirs[i]!));
    },
    asTargets: (answers) => {
      const rows = found(answers);
      const out = new Float32Array((rows.length / ROW) * targetWidth);
      for (let i = 0; i < rows.length / ROW; i++)
        out.set(asTargetRow(rows.subarray(i * ROW, (i + 1) * ROW), height * width, targetWidth), i * targetWidth);
      return out;
    },
    ignorance: () => 0,
    // Tested picture by picture, because average precision is no sum over pictures.
    isWorse: (answers, than, targets) => {
      const own = eachF1(found(answers), targets);
      return isAboveZero(eachF1(found(than), targets).map((value, i) => value - own[i]!));
    },
    skill: (answers, targets) => {
      const rows = found(answers);
      const moved = new Float32Array(rows.length);
      moved.set(rows.subarray(ROW));
      moved.set(rows.subarray(0, ROW), rows.length - ROW);
      const others = eachF1(moved, targets);
      return {
        score: apOf(rows, targets),
        isBetter: isAboveZero(eachF1(rows, targets).map((value, i) => value - others[i]!)),
        chance: `the same boxes on other pictures have a mAP of ${percent(apOf(moved, targets), 1)}`,
      };
    },
    stuck: (name, answers, _truth, why = PROBABLY) => {
      const rows = found(answers);
      const isEmpty = shownIn(rows, 0.05).every((own) => own.length === 0);
      return isEmpty ? `${name}: gives no box in ${rows.length / ROW} pictures a score of 0.05; ${why}` : undefined;
    },
  };
}

/** Detections of each picture with at least this score. */
function shownIn(rows: Float32Array, least = SHOWN_SCORE): Detection[][] {
  return Array.from({ length: rows.length / ROW }, (_, i) =>
    detectionsOf(rows.subarray(i * ROW, (i + 1) * ROW), least),
  );
}

/** The figures with the names of the classes, for a report. */
function described(
  { bySize: { small, medium, large }, classes, ...whole }: ReturnType<typeof boxFigures>,
  names: readonly string[],
) {
  return {
    ...{ ap: whole.ap, ap50: whole.ap50, ap75: whole.ap75, recall: whole.ar100 },
    ...{ small: small.ap, medium: medium.ap, large: large.ap },
    rows: classes.map(({ boxes, ap, ap50, ar100, curve }, c) => ({
      ...{ name: names[c]!, there: boxes, ap, ap50, recall: ar100 },
      ...(curve && { precision: curve.precision }),
    })),
  };
}

/** `UserError` for a class outside 0 … classes - 1, or sides that are no numbers, with its picture. */
function checkBoxes(targets: TargetValues, width: number, classes: number, where: string): void {
  for (let at = 0; at < targets.length; at += width)
    for (let box = at + 1; box < at + width && targets[box] !== NO_BOX; box += BOX_WIDTH) {
      const isKnown = targets[box]! >= 0 && targets[box]! < classes;
      if (isKnown && targets.subarray(box, box + BOX_WIDTH).every(Number.isFinite)) continue;
      throw new UserError(
        `${where}: box ${(box - at - 1) / BOX_WIDTH} of sample ${at / width} has the class ${shown(targets[box])} and the sides ${Array.from(targets.subarray(box + 1, box + 5)).join(', ')}; the model has the classes 0 … ${classes - 1}`,
        'Check the boxes of the data set.',
      );
    }
}
