/**
 * Targets of a picture with points, one row of float32: width and height in pixels of the original that the whole input picture stands for, and the area
 * of the object in such pixels; then `POINT_WIDTH` numbers for each point.
 */

/** Numbers before the points. */
export const HEAD_WIDTH = 3;
/** Numbers of a point: x and y as shares of the input picture, visibility, index of the point that takes its place in a flipped picture, or `UNPAIRED`. */
export const POINT_WIDTH = 4;
/** Index of a point of which nobody has said what takes its place. */
export const UNPAIRED = -1;

/** Visibility as COCO has it: absent, hidden, visible. */
export const ABSENT = 0;
export const VISIBLE = 2;

/** Length of the row of a picture. */
export function pointsWidth(count: number): number {
  return HEAD_WIDTH + count * POINT_WIDTH;
}

/** Place of a labelled point, x and y as shares of the input picture. */
export interface TargetPoint {
  readonly x: number;
  readonly y: number;
  readonly visibility: number;
}

/** The points of a picture; `start`: index of its row. */
export function labelledPoints(targets: ArrayLike<number>, start: number, count: number): TargetPoint[] {
  return Array.from({ length: count }, (_, k) => {
    const at = start + HEAD_WIDTH + k * POINT_WIDTH;
    return { x: targets[at]!, y: targets[at + 1]!, visibility: targets[at + 2]! };
  });
}

/** Size of a picture that points lie in, in pixels, and the area of their object. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly area: number;
}

/** See `PictureSize`; `start`: index of the picture's row. */
export function sizeOfPicture(targets: ArrayLike<number>, start: number): PictureSize {
  return { width: targets[start]!, height: targets[start + 1]!, area: targets[start + 2]! };
}

/** Row of a picture. */
export function rowOfPoints(
  { width, height, area }: PictureSize,
  points: readonly TargetPoint[],
  partners: readonly number[],
): Float32Array {
  const row = new Float32Array(pointsWidth(points.length));
  row.set([width, height, area]);
  points.forEach(({ x, y, visibility }, k) => row.set([x, y, visibility, partners[k]!], HEAD_WIDTH + k * POINT_WIDTH));
  return row;
}
