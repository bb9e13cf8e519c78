import * as tf from '@tensorflow/tfjs-core';
import { shown, UserError } from '../../base/errors.ts';
import { sum } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { detectorPoints, POINT_STRIDES } from '../../data/points.ts';
import { BOX_WIDTH, boxesOf, boxesWidth, NO_BOX } from '../../data/targets/boxes.ts';
import { asGiven, numberFeeds } from '../../tasks/targets.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Tasks } from '../../tasks/registry.ts';
import type { Task, TaskData } from '../../tasks/task.ts';
import { assigned, BEST, detectedBoxes, labelledBoxes } from './assignment.ts';
import type { Truth } from './assignment.ts';
import { largestScores, pointDivergence, pointLoss } from './box-loss.ts';
import { boxesOfAll, boxesText, detectionRow } from './detections.ts';
import { judged } from './judged.ts';
import { DETECTION_WIDTH, MAX_DETECTIONS, NEVER, NO_DETECTION, ROW, SUPPRESSION } from './suppression.ts';

/**
 * Boxes with a class each. An answer has two fields: `boxes` [points, 4] xmin, ymin, xmax, ymax as shares of the picture's width and height, and
 * `scores` [points, classes] logits, at the points of `detectorPoints`. Targets are rows of `src/data/targets/boxes.ts`. Losses compare points, to which
 * boxes are assigned at each step by the student's answers.
 */
export function detection({ classNames: names, sampleShape, maxBoxes = 1, nms = true }: Omit<TaskData, 'task'>): Task {
  const [height, width] = sampleShape as readonly [number, number, number];
  const classes = names.length;
  const points = detectorPoints(height, width);
  const { count } = points;
  const overlap = nms ? SUPPRESSION.iou : NEVER;
  const answerWidth = count * (4 + classes);
  const targetWidth = boxesWidth(maxBoxes);
  const rowWidth = 4 + classes;
  // In training a detector without suppression answers twice: once for each object, then as a detector with suppression.
  const heads = (width: number, each: number): number[] => Array.from({ length: width / each }, (_, i) => i);
  const parts = (answers: tf.Tensor2D): readonly (readonly [boxes: tf.Tensor3D, logits: tf.Tensor3D])[] => {
    const all = heads(answers.shape[1], answerWidth);
    const part = (i: number, from: number, each: number): tf.Tensor3D =>
      tf.reshape(tf.slice(answers, [0, from * all.length + i * each], [-1, each]), [-1, count, each / count]);
    return all.map((i) => [part(i, 0, 4 * count), part(i, 4 * count, classes * count)]);
  };
  const rowsOf = (answers: tf.Tensor2D): tf.Tensor2D => {
    const all = tf.concat(parts(answers).flat(), -1);
    return tf.reshape(all, [-1, all.shape[2]]);
  };
  // An assignment is a constant for gradients.
  const assign = (answers: tf.Tensor2D, truth: () => Truth): tf.Tensor2D =>
    tf.customGrad((given) => {
      const made = parts(given as tf.Tensor2D).map(([boxes, logits], i) =>
        assigned(boxes, logits, truth(), { points, classes, best: !nms && i === 0 ? 1 : BEST }),
      );
      return { value: tf.concat(made, -1), gradFunc: () => tf.zerosLike(answers) };
    })(answers);
  const eachLoss = (answers: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D =>
    heads(answers.shape[1], rowWidth)
      .map((i) => {
        const part = (of: tf.Tensor2D, width: number): tf.Tensor2D => tf.slice(of, [0, i * width], [-1, width]);
        return pointLoss(part(answers, rowWidth), part(targets, rowWidth + 1));
      })
      .reduce((sum, loss) => tf.add(sum, loss));
  const found = (answers: Float32Array): Float32Array => {
    const out = new Float32Array((answers.length / answerWidth) * ROW);
    for (let row = 0; row < answers.length / answerWidth; row++)
      out.set(detectionRow(answers.subarray(row * answerWidth, (row + 1) * answerWidth), count, overlap), row * ROW);
    return out;
  };
  const pictures = { names, maxBoxes, targetWidth, pixels: height * width };
  const task: Task = {
    name: 'detection',
    names,
    fields: [
      { name: 'boxes', shape: [count, 4] },
      { name: 'scores', shape: [count, classes] },
    ],
    width: answerWidth,
    targetWidth,
    score: scoreOfTask('detection'),
    answers: 'logits',
    lossName: 'boxes',
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
      targets: (targets, answers) => assign(answers, () => labelledBoxes(targets)),
      weights: (samples) => tf.reshape(tf.mul(tf.expandDims(samples, 1), tf.fill([1, count], 1 / count)), [-1]),
    },
    loss: eachLoss,
    sums: () => ({}),
    scoreOfSums: () => undefined,
    divergence: (teacher, student, temperature) => pointDivergence(teacher, student, temperature, count),
    scoreMaps: (rows) => {
      const sizes = POINT_STRIDES.map((stride) => [height / stride, width / stride] as const);
      const levels = tf.split(
        tf.reshape(largestScores(rows), [-1, count]),
        sizes.map(([h, w]) => h * w),
        1,
      );
      return levels.map((level, i) => tf.reshape(level, [-1, ...sizes[i]!]));
    },
    beside: () => ({}),
    labelText: (targets, row) => boxesText(boxesOf(targets, row * targetWidth, maxBoxes), names),
    ignorance: () => 0,
    ...judged({ width: answerWidth, found, overlap }, pictures),
  };
  // Final boxes, as a detector of another layout gives them.
  const detections: Task = {
    ...task,
    fields: [{ name: 'detections', shape: [MAX_DETECTIONS, DETECTION_WIDTH] }],
    width: ROW,
    ...judged({ width: ROW, found: (answers) => answers, overlap }, pictures),
  };
  return {
    ...task,
    taught: {
      task: detections,
      of: found,
      rows: (taught, answers) => assign(answers, () => detectedBoxes(taught, Math.min(maxBoxes, MAX_DETECTIONS))),
      // Boxes have no logits: a temperature changes nothing.
      // Each box has its score as weight, beside 1 for a labelled box.
      weightOf: (taught) => {
        const scores = taught.map((score, i) =>
          i % DETECTION_WIDTH === 1 && taught[i - 1] !== NO_DETECTION ? score : 0,
        );
        return Float32Array.from({ length: taught.length / ROW }, (_, i) =>
          Math.max(1, sum(scores.subarray(i * ROW, (i + 1) * ROW))),
        );
      },
      divergence: (taught, student, temperature) => tf.div(eachLoss(student, taught), tf.square(temperature)),
    },
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

export const tasks: Tasks = { detection };
