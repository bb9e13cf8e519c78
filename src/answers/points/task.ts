import * as tf from '@tensorflow/tfjs-core';
import { shown, UserError } from '../../base/errors.ts';
import { median } from '../../base/math/statistics.ts';
import { percent } from '../../base/numbers.ts';
import type { Dataset, PointsForm, TargetValues } from '../../data/dataset.ts';
import { isAboveZero, meanOf, PROBABLY, stuckAt } from '../../tasks/columns.ts';
import { oneField } from '../../tasks/fields.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Tasks } from '../../tasks/registry.ts';
import { asGiven, numberFeeds } from '../../tasks/targets.ts';
import type { Task, TaskData } from '../../tasks/task.ts';
import { softenedDivergence } from '../classes/task.ts';
import type { PointsReport } from './described.ts';
import {
  ABSENT,
  HEAD_WIDTH,
  POINT_WIDTH,
  labelledPoints,
  pointsWidth,
  rowOfPoints,
  sizeOfPicture,
  VISIBLE,
} from './layout.ts';
import { oksFigures } from './oks.ts';
import { areaUnderCurve, placedIn, shareWithin } from './places.ts';
import type { Placed } from './places.ts';
import { binsOf, decodedPoints, DECODED_WIDTH, deviationOf } from './simcc.ts';

/** Points of a data set of which nothing is known but their number. */
function plainForm(count: number): PointsForm {
  const each = Array.from({ length: count }, (_, k) => k);
  return { skeleton: [], partners: each, sigmas: each.map(() => 0.05), pck: [0.05] };
}

/**
 * Places of points. An answer is, for each point, a row of logits over columns and one over rows, [points · 2 · bins], both over the longer side, so that
 * all rows have the same length. Labels are Gaussians over these places, and their loss is the divergence from them (Li et al. 2022, "SimCC"; Jiang et al.
 * 2023, "RTMPose"). Absent points weigh nothing; the others of a sample share its weight.
 */
export function points(data: Omit<TaskData, 'task'> & Pick<Dataset, 'points'>): Task {
  const { classNames: names, sampleShape, points: form = plainForm(names.length) } = data;
  const [height, width] = sampleShape as readonly [number, number, number];
  const count = names.length;
  const bins = binsOf({ height, width });
  const answerWidth = count * 2 * bins;
  const targetWidth = pointsWidth(count);
  const [most] = form.pck as readonly [number];
  const decoded = (answers: Float32Array): Float32Array => decodedPoints(answers, bins);
  const placed = (answers: Float32Array, targets: TargetValues): Placed[][] =>
    placedIn(decoded(answers), targets, count);
  const scoreOf = (answers: Float32Array, targets: TargetValues): number =>
    shareWithin(placed(answers, targets).flat(), most) ?? 0;
  const eachShare = (answers: Float32Array, targets: TargetValues): number[] =>
    placed(answers, targets).map((own) => shareWithin(own, most) ?? 0);
  return {
    name: 'points',
    names,
    fields: oneField([answerWidth]),
    width: answerWidth,
    targetWidth,
    score: scoreOfTask('points'),
    answers: 'logits',
    skeleton: form.skeleton,
    lossName: 'points',
    labelNumbers: () => ({}),
    weightOf: (targets, labelled) =>
      Float32Array.from({ length: targets.length / targetWidth }, (_, i) => {
        const known = labelledPoints(targets, i * targetWidth, count).filter(({ visibility }) => visibility !== ABSENT);
        return labelled?.[i] === 0 ? 1 : known.length / count;
      }),
    feeds: (batchSize, mix) => numberFeeds(batchSize, targetWidth, mix),
    fed: (targets, where) => {
      const bad = targets.findIndex((value) => !Number.isFinite(value));
      if (bad === -1) return { targets };
      throw new UserError(
        `${where}: sample ${Math.floor(bad / targetWidth)} has a point at ${shown(targets[bad])}`,
        'Check the labels of the data set.',
      );
    },
    targets: (feeds) => feeds['targets'] as tf.Tensor2D,
    mixedValues: () => {
      throw new Error('points are not mixed');
    },
    forLoss: asGiven,
    rows: {
      of: (answers) => tf.reshape(answers, [-1, bins]),
      targets: (targets) => gaussians(targets, count, bins),
      weights: (samples, targets) => {
        const isThere = tf.cast(
          tf.greater(tf.slice(partsOf(targets, count), [0, 0, 2], [-1, -1, 1]), ABSENT),
          'float32',
        );
        const flat = tf.reshape(isThere, [-1, count]);
        // All points of a sample without a label count, which a teacher answers.
        const isBlank = tf.cast(tf.equal(tf.sum(flat, -1, true), 0), 'float32');
        const counted = tf.add(flat, isBlank);
        const each = tf.div(samples, tf.mul(tf.sum(counted, -1), 2));
        const both = tf.tile(tf.expandDims(tf.mul(counted, tf.expandDims(each, 1)), 2), [1, 1, 2]);
        return tf.reshape(both, [-1]);
      },
    },
    loss: (logits, targets) => {
      const information = tf.mul(targets, tf.log(tf.maximum(targets, 1e-30)));
      return tf.sum(tf.sub(information, tf.mul(targets, tf.logSoftmax(logits))), -1);
    },
    divergence: softenedDivergence,
    sums: (answers, targets, weights) => foundSums(answers, targets, weights, { count, bins, most }),
    scoreOfSums: (sums) => (sums['all'] === 0 ? 0 : sums['right']! / sums['all']!),
    scoreOf,
    describe: (answers, targets) => ({ points: described(decoded(answers), targets, names, form) }),
    beside: (answers, teacher) => ({ distance: distanceOf(decoded(answers), decoded(teacher)) }),
    textOf: (answers, row, targets) => {
      const own = decoded(answers.subarray(row * answerWidth, (row + 1) * answerWidth));
      const size = targets.length > 0 ? sizeOfPicture(targets, row * targetWidth) : { width, height };
      return placesText(
        names.map((_, k) => [own[k * DECODED_WIDTH]! * size.width, own[k * DECODED_WIDTH + 1]! * size.height]),
        names,
      );
    },
    labelText: (targets, row) => {
      const size = sizeOfPicture(targets, row * targetWidth);
      const places = labelledPoints(targets, row * targetWidth, count);
      return placesText(
        places.map(({ x, y, visibility }) => (visibility === ABSENT ? undefined : [x * size.width, y * size.height])),
        names,
      );
    },
    disagreement: (answers, others) => {
      const [own, theirs] = [decoded(answers), decoded(others)];
      const each = count * DECODED_WIDTH;
      return Float32Array.from({ length: own.length / each }, (_, i) =>
        distanceOf(own.subarray(i * each, (i + 1) * each), theirs.subarray(i * each, (i + 1) * each)),
      );
    },
    asTargets: (answers) => {
      const found = decoded(answers);
      const out = new Float32Array((answers.length / answerWidth) * targetWidth);
      for (let i = 0; i < answers.length / answerWidth; i++) {
        const own = names.map((_, k) => {
          const at = (i * count + k) * DECODED_WIDTH;
          return { x: found[at]!, y: found[at + 1]!, visibility: VISIBLE };
        });
        out.set(
          rowOfPoints({ width, height, area: areaAround(own, { width, height }) }, own, form.partners),
          i * targetWidth,
        );
      }
      return out;
    },
    ignorance: (targets) => shareWithin(placedIn(meanPlaces(targets, count), targets, count).flat(), most) ?? 0,
    isWorse: (answers, than, targets) => {
      const own = eachShare(answers, targets);
      return isAboveZero(eachShare(than, targets).map((value, i) => value - own[i]!));
    },
    skill: (answers, targets) => {
      const others = moved(answers, answerWidth);
      const [own, chance] = [eachShare(answers, targets), eachShare(others, targets)];
      return {
        score: scoreOf(answers, targets),
        isBetter: isAboveZero(own.map((value, i) => value - chance[i]!)),
        chance: `the same answers to other pictures have a PCK of ${percent(scoreOf(others, targets), 1)}`,
      };
    },
    stuck: (name, answers, truth, why = PROBABLY) => {
      const places = placesOf(decoded(answers));
      const given = (answers.length / answerWidth) * targetWidth;
      const there = truth.length === given ? labelledPlaces(truth, count) : placesOf(decoded(truth as Float32Array));
      const at = stuckAt(places, there, 2 * count);
      if (at === -1) return undefined;
      return `${name}: gives the point ${names[at >> 1]!} nearly the same place in all of ${answers.length / answerWidth} samples; ${why}`;
    },
  };
}

/** Numbers of the points, [batch, points, POINT_WIDTH], of rows of targets. */
function partsOf(targets: tf.Tensor2D, count: number): tf.Tensor3D {
  return tf.reshape(tf.slice(targets, [0, HEAD_WIDTH], [-1, count * POINT_WIDTH]), [-1, count, POINT_WIDTH]);
}

/** Gaussians around the labels over the middles of places, [batch · points · 2, bins], each of sum 1. */
function gaussians(targets: tf.Tensor2D, count: number, bins: number): tf.Tensor2D {
  const places = tf.reshape(tf.slice(partsOf(targets, count), [0, 0, 0], [-1, -1, 2]), [-1, 1]);
  const middles = tf.tensor2d(
    Float32Array.from({ length: bins }, (_, i) => i + 0.5),
    [1, bins],
  );
  const off = tf.div(tf.sub(middles, tf.mul(places, bins)), deviationOf(bins));
  const heights = tf.exp(tf.mul(tf.square(off), -0.5));
  return tf.div(heights, tf.sum(heights, -1, true));
}

/** Sums that the share of found points is computed from: `right` and `all` labelled points. */
function foundSums(
  answers: tf.Tensor2D,
  targets: tf.Tensor2D,
  weights: tf.Tensor1D,
  { count, bins, most }: { readonly count: number; readonly bins: number; readonly most: number },
): Record<string, tf.Scalar> {
  const best = tf.argMax(tf.reshape(answers, [-1, count, 2, bins]), -1);
  const given = tf.div(tf.add(tf.cast(best, 'float32'), 0.5), bins);
  const parts = partsOf(targets, count);
  const size = tf.slice(targets, [0, 0], [-1, 2]);
  const scale = tf.div(size, tf.maximum(tf.max(size, -1, true), 1e-6));
  const off = tf.mul(tf.sub(given, tf.slice(parts, [0, 0, 0], [-1, -1, 2])), tf.expandDims(scale, 1));
  const near = tf.cast(tf.lessEqual(tf.sum(tf.square(off), -1), most ** 2), 'float32');
  const isThere = tf.reshape(tf.cast(tf.greater(tf.slice(parts, [0, 0, 2], [-1, -1, 1]), ABSENT), 'float32'), [
    -1,
    count,
  ]);
  // Padding samples have weight 0; the points of all others count fully, whatever their weight.
  const counted = tf.mul(isThere, tf.expandDims(tf.cast(tf.greater(weights, 0), 'float32'), 1));
  return { right: tf.sum(tf.mul(counted, near)), all: tf.sum(counted) };
}

function described(
  decoded: Float32Array,
  targets: TargetValues,
  names: readonly string[],
  { pck, sigmas }: PointsForm,
): PointsReport {
  const all = placedIn(decoded, targets, names.length).flat();
  const middle = (values: readonly number[]): number | null => (values.length === 0 ? null : median(values));
  const figures = (placed: readonly Placed[]) => ({
    there: placed.length,
    error: meanOf(placed.map(({ error }) => error)),
    median: middle(placed.map(({ distance }) => distance)),
  });
  return {
    ...figures(all),
    within: pck.map((distance) => ({ distance, share: shareWithin(all, distance) })),
    auc: areaUnderCurve(all, Math.max(...pck)),
    ...oksFigures(decoded, targets, sigmas),
    rows: names.map((name, k) => {
      const own = all.filter(({ point }) => point === k);
      return { name, ...figures(own), within: pck.map((distance) => shareWithin(own, distance)) };
    }),
  };
}

/** x and y of points [n, 3], without their scores. */
function placesOf(decoded: Float32Array): Float32Array {
  return decoded.filter((_, i) => i % DECODED_WIDTH < 2);
}

function labelledPlaces(targets: ArrayLike<number>, count: number): Float32Array {
  const width = pointsWidth(count);
  const rows = Array.from({ length: targets.length / width }, (_, i) => labelledPoints(targets, i * width, count));
  return Float32Array.from(rows.flat().flatMap(({ x, y }) => [x, y]));
}

/** Root mean squared distance, as a share of the picture's sides. */
function distanceOf(own: Float32Array, others: Float32Array): number {
  const [a, b] = [placesOf(own), placesOf(others)];
  return Math.sqrt((2 * a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0)) / a.length);
}

/** Share of the box around points that their object covers; see `objects.ts`. */
function areaAround(
  points: readonly { readonly x: number; readonly y: number }[],
  { width, height }: { readonly width: number; readonly height: number },
): number {
  const [xs, ys] = [points.map(({ x }) => x * width), points.map(({ y }) => y * height)];
  return Math.max(1, 0.53 * (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys)));
}

/** Mean place of each point as an answer to each sample, [n, points, 3]. */
function meanPlaces(targets: TargetValues, count: number): Float32Array {
  const width = pointsWidth(count);
  const rows = Array.from({ length: targets.length / width }, (_, i) => labelledPoints(targets, i * width, count));
  const means = Array.from({ length: count }, (_, k) => {
    const known = rows.map((row) => row[k]!).filter(({ visibility }) => visibility !== ABSENT);
    return [meanOf(known.map(({ x }) => x)) ?? 0, meanOf(known.map(({ y }) => y)) ?? 0, 1];
  });
  return Float32Array.from(rows.flatMap(() => means.flat()));
}

/** The answers, each given to the sample before it. */
function moved(answers: Float32Array, width: number): Float32Array {
  const out = new Float32Array(answers.length);
  out.set(answers.subarray(width));
  out.set(answers.subarray(0, width), answers.length - width);
  return out;
}

/** Most points that a line of text names. */
const NAMED = 6;

/** Text of places in pixels: `nose 31, 18; left eye absent`. */
function placesText(places: readonly (readonly number[] | undefined)[], names: readonly string[]): string {
  const said = places
    .slice(0, NAMED)
    .map((place, k) => `${names[k]!} ${place === undefined ? 'absent' : place.map(Math.round).join(', ')}`);
  return [...said, ...(places.length > NAMED ? [`${places.length - NAMED} more`] : [])].join('; ');
}

export const tasks: Tasks = { points };
