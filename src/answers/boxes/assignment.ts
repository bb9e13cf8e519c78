import * as tf from '@tensorflow/tfjs-core';
import type { Points } from '../../data/points.ts';
import { BOX_WIDTH } from '../../data/targets/boxes.ts';
import { sides, unionsOf } from './overlap.ts';
import { DETECTION_WIDTH } from './suppression.ts';

/** Number of the best points in a box that learn it, if non-maximum suppression chooses among their boxes later. */
export const BEST = 10;
/** Weight of the overlap beside the class score: score · IoU ^ OVERLAP_POWER. */
const OVERLAP_POWER = 6;
/** Weight of the nearness to the middle of a box: it decides only between points that have no overlap yet. */
const NEARNESS = 1e-9;

interface Shape {
  readonly points: Points;
  readonly classes: number;
  /** Number of points that learn a box. Default: `BEST`. */
  readonly best?: number;
}

/** Boxes that points are to learn, `most` for each sample. */
export interface Truth {
  /** Classes [batch, most]; below 0 for padding. */
  readonly kinds: tf.Tensor2D;
  /** [batch, most, 4] */
  readonly corners: tf.Tensor3D;
  /** [batch, 1, most]: boxes that are neither found nor missed. */
  readonly isIgnored: tf.Tensor;
  /** [batch, 1, most]: the scores that points of the best overlap are to give. Default: 1. */
  readonly scores?: tf.Tensor;
}

/** Boxes of `targets` [batch, width], as `src/data/targets/boxes.ts` stores them. */
export function labelledBoxes(targets: tf.Tensor2D): Truth {
  const most = (targets.shape[1] - 1) / BOX_WIDTH;
  const table = tf.reshape(tf.slice(targets, [0, 1], [-1, most * BOX_WIDTH]), [-1, most, BOX_WIDTH]);
  const column = (from: number, size = 1): tf.Tensor3D => tf.slice(table, [0, 0, from], [-1, -1, size]) as tf.Tensor3D;
  const isIgnored = tf.greater(tf.reshape(column(BOX_WIDTH - 1), [-1, 1, most]), 0);
  return { kinds: tf.reshape(column(0), [-1, most]), corners: column(1, 4), isIgnored };
}

/** The first `most` of a teacher's boxes, rows of detections [batch, width], see `suppressed`. */
export function detectedBoxes(detections: tf.Tensor2D, most: number): Truth {
  const table = tf.reshape(tf.slice(detections, [0, 0], [-1, most * DETECTION_WIDTH]), [-1, most, DETECTION_WIDTH]);
  const column = (from: number, size = 1): tf.Tensor3D => tf.slice(table, [0, 0, from], [-1, -1, size]) as tf.Tensor3D;
  const scores = tf.reshape(column(1), [-1, 1, most]);
  return { kinds: tf.reshape(column(0), [-1, most]), corners: column(2, 4), isIgnored: tf.less(scores, 0), scores };
}

/**
 * What each point is to learn, [batch · points, 4 + classes + 1]: a box (xmin, ymin, xmax, ymax), a score for each class, and the number of points
 * over the sum of the sample's scores, 0 for a point in an ignored box. Task-aligned assignment (Feng et al. 2021, "TOOD", section 3.2): of the points
 * in a box the best by class score and overlap learn it; their scores are scaled so that the best has the largest overlap as its score. A point in
 * several boxes learns the one that it overlaps most. The answers are constants for gradients.
 */
export function assigned(
  boxes: tf.Tensor3D,
  logits: tf.Tensor3D,
  { kinds, corners: truth, isIgnored, scores: given }: Truth,
  { points, classes, best = BEST }: Shape,
): tf.Tensor2D {
  const { count } = points;
  const most = kinds.shape[1];
  const isBox = tf.reshape(tf.greaterEqual(kinds, 0), [-1, 1, most]);
  // [batch, most, classes]; padding, whose class is -1, has zeros.
  const oneHot = oneHotOf(kinds, classes) as tf.Tensor3D;
  const inside = insideness(truth, points, most);
  const isInside = tf.logicalAnd(tf.greater(inside, 0), isBox);
  const isCandidate = tf.cast(tf.logicalAnd(isInside, tf.logicalNot(isIgnored)), 'float32');
  // All [batch, points, most].
  const { iou: overlap } = unionsOf(sides(boxes, 'points'), sides(truth, 'boxes'));
  const scores = tf.matMul(tf.sigmoid(logits), oneHot, false, true);
  const metric = tf.mul(tf.add(tf.mul(scores, tf.pow(overlap, OVERLAP_POWER)), tf.mul(inside, NEARNESS)), isCandidate);
  const { values } = tf.topk(tf.transpose(metric, [0, 2, 1]), Math.min(best, count));
  const least = tf.transpose(tf.slice(values, [0, 0, Math.min(best, count) - 1], [-1, -1, 1]), [0, 2, 1]);
  const isBest = tf.mul(tf.cast(tf.greaterEqual(metric, least), 'float32'), isCandidate);
  const closest = tf.argMax(tf.sub(overlap, tf.mul(tf.sub(1, isBest), 2)), -1);
  const nearest = oneHotOf(closest, most);
  const learns: tf.Tensor3D = tf.mul(isBest, nearest);
  const aligned = tf.mul(metric, learns);
  const largest = (of: tf.Tensor): tf.Tensor => tf.max(of, 1, true);
  const share = tf.div(aligned, tf.maximum(largest(aligned), 1e-20));
  const reached: tf.Tensor3D = tf.mul(share, largest(tf.mul(overlap, learns)));
  const aims: tf.Tensor3D = given === undefined ? reached : tf.mul(reached, given);
  const classScores = tf.matMul(aims, oneHot);
  const free = tf.sub(1, tf.max(tf.cast(tf.logicalAnd(isInside, isIgnored), 'float32'), -1, true));
  const counted = tf.maximum(free, tf.max(learns, -1, true));
  const norm = tf.div(tf.mul(counted, count), tf.maximum(tf.sum(aims, [1, 2], true), 1));
  return tf.reshape(tf.concat([tf.matMul(learns, truth), classScores, norm], -1), [-1, 4 + classes + 1]);
}

/** 1 where the index of the last axis is the value, else 0; also for an axis of length 1, which tf.oneHot refuses. */
function oneHotOf(values: tf.Tensor, length: number): tf.Tensor {
  return tf.cast(tf.equal(tf.expandDims(values, -1), tf.range(0, length, 1, values.dtype as 'float32')), 'float32');
}

/**
 * Distance of each point to the nearest side of each box, as a share of the box's size: [batch, points, most], above 0 inside. The point nearest to
 * the middle of a box that is smaller than a cell counts as inside.
 */
function insideness(truth: tf.Tensor3D, { count, centres, cells }: Points, most: number): tf.Tensor3D {
  const [x0, y0, x1, y1] = sides(truth, 'boxes');
  const axis = (a: tf.Tensor, b: tf.Tensor, which: 0 | 1): tf.Tensor => {
    const of = (pairs: Float32Array): tf.Tensor =>
      tf.tensor3d(
        Array.from({ length: count }, (_, i) => pairs[2 * i + which]!),
        [1, count, 1],
      );
    const [centre, cell] = [of(centres), of(cells)];
    const size = tf.maximum(tf.sub(b, a), 1e-6);
    const within = tf.div(tf.minimum(tf.sub(centre, a), tf.sub(b, centre)), size);
    const isNearest = tf.less(tf.abs(tf.sub(centre, tf.mul(tf.add(a, b), 0.5))), tf.mul(cell, 0.5));
    return tf.maximum(within, tf.mul(tf.cast(isNearest, 'float32'), 1e-3));
  };
  return tf.reshape(tf.minimum(axis(x0, x1, 0), axis(y0, y1, 1)), [-1, count, most]);
}
