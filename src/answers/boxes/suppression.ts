import type { Corners } from '../../data/targets/boxes.ts';

/** Largest number of detections of a picture, as COCO counts them. */
export const MAX_DETECTIONS = 100;
/** Class of padding in a row of detections. */
export const NO_DETECTION = -1;
/** Numbers of a detection: class, or -1 for padding, which is last; score; xmin, ymin, xmax, ymax as shares of width and height. */
export const DETECTION_WIDTH = 6;
/** Length of a picture's row of detections. */
export const ROW = MAX_DETECTIONS * DETECTION_WIDTH;

export interface SuppressionOptions {
  /** Lowest score of a detection. */
  readonly minScore: number;
  /** A box whose intersection over union with a box of the same class and a higher score is larger than this is suppressed. */
  readonly iou: number;
  /** Largest number of detections. */
  readonly most: number;
}

/** Suppression by which detectors are scored. */
export const SUPPRESSION: SuppressionOptions = { minScore: 0.01, iou: 0.6, most: MAX_DETECTIONS };
/** `iou` of detectors that answer once for each object: none of their boxes is suppressed. */
export const NEVER = 1;

/**
 * Non-maximum suppression by class: a row [most · DETECTION_WIDTH] of the detections with the highest scores, the highest first. A point may be
 * a detection of several classes. Of equal scores, the box that comes first in `boxes` counts as higher, then the class with the smaller index.
 * boxes: [points, 4] xmin, ymin, xmax, ymax; scores: [points, classes] probabilities; options: default `SUPPRESSION`.
 */
export function suppressed(
  boxes: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: Partial<SuppressionOptions> = {},
): Float32Array {
  const { minScore, iou, most } = { ...SUPPRESSION, ...options };
  const classes = scores.length / (boxes.length / 4);
  const candidates: number[] = [];
  for (let i = 0; i < scores.length; i++) if (scores[i]! >= minScore) candidates.push(i);
  candidates.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const out = new Float32Array(most * DETECTION_WIDTH);
  for (let i = 0; i < most; i++) out[i * DETECTION_WIDTH] = NO_DETECTION;
  const kept = new Map<number, Corners[]>();
  let count = 0;
  for (const candidate of candidates) {
    if (count === most) break;
    const [label, at] = [candidate % classes, 4 * Math.floor(candidate / classes)];
    const box = { xmin: boxes[at]!, ymin: boxes[at + 1]!, xmax: boxes[at + 2]!, ymax: boxes[at + 3]! };
    const others = kept.get(label) ?? [];
    if (iou < NEVER && others.some((other) => overlapOf(box, other) > iou)) continue;
    if (iou < NEVER) kept.set(label, [...others, box]);
    out.set([label, scores[candidate]!, box.xmin, box.ymin, box.xmax, box.ymax], DETECTION_WIDTH * count++);
  }
  return out;
}

/** Intersection of two boxes over their union, or over the area of the first box. */
export function overlapOf(box: Corners, other: Corners, over: 'union' | 'first' = 'union'): number {
  const width = Math.min(box.xmax, other.xmax) - Math.max(box.xmin, other.xmin);
  const height = Math.min(box.ymax, other.ymax) - Math.max(box.ymin, other.ymin);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const area = ({ xmin, ymin, xmax, ymax }: Corners): number => (xmax - xmin) * (ymax - ymin);
  return both / (over === 'first' ? area(box) : area(box) + area(other) - both);
}
