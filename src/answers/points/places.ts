import { ABSENT, labelledPoints, sizeOfPicture } from './layout.ts';
import { DECODED_WIDTH } from './simcc.ts';

/** A labelled point beside the answer. */
export interface Placed {
  /** Index of the point. */
  readonly point: number;
  /** Distance of the answer in pixels of the original picture. */
  readonly distance: number;
  /** The same as a share of the picture's longer side. */
  readonly error: number;
  /** Score of the answer. */
  readonly score: number;
}

/** Labelled points of each picture, from answers [n, points, 3] and targets. */
export function placedIn(decoded: ArrayLike<number>, targets: ArrayLike<number>, count: number): Placed[][] {
  const each = DECODED_WIDTH * count;
  const width = (targets.length * each) / decoded.length;
  return Array.from({ length: decoded.length / each }, (_, i) => {
    const size = sizeOfPicture(targets, i * width);
    return labelledPoints(targets, i * width, count).flatMap(({ x, y, visibility }, point) => {
      if (visibility === ABSENT) return [];
      const at = i * each + point * DECODED_WIDTH;
      const distance = Math.hypot((decoded[at]! - x) * size.width, (decoded[at + 1]! - y) * size.height);
      const error = distance / Math.max(size.width, size.height);
      return [{ point, distance, error, score: decoded[at + 2]! }];
    });
  });
}

/** Share of these points within a distance; null without points (PCK, Yang & Ramanan 2013). */
export function shareWithin(placed: readonly Placed[], most: number): number | null {
  return placed.length === 0 ? null : placed.filter(({ error }) => error <= most).length / placed.length;
}

/** Number of distances that the area under the curve is the mean over. */
const STEPS = 20;

/** Mean of the shares within 1/20, 2/20, … of the distance `most`. */
export function areaUnderCurve(placed: readonly Placed[], most: number): number | null {
  if (placed.length === 0) return null;
  const shares = Array.from({ length: STEPS }, (_, i) => shareWithin(placed, ((i + 1) * most) / STEPS)!);
  return shares.reduce((sum, share) => sum + share, 0) / STEPS;
}
