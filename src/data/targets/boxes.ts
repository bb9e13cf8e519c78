/**
 * Targets of a picture with boxes, one row of float32: the number of pixels of the original picture that the whole input picture stands for, then
 * `most` boxes of `BOX_WIDTH` numbers. Rows with fewer boxes end in padding of class -1.
 */

/** Numbers of a box: class, xmin, ymin, xmax, ymax, area, ignored. */
export const BOX_WIDTH = 7;
/** Class of padding. */
export const NO_BOX = -1;

/** Corners of a box as shares of width and height of the input picture, 0 … 1. */
export interface Corners {
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
}

export interface TargetBox extends Corners {
  /** Class index. */
  readonly label: number;
  /** Area of the object in pixels of the original picture. */
  readonly area: number;
  /** True for a crowd (COCO) and for a difficult object (VOC): neither found nor missed. */
  readonly isIgnored: boolean;
}

/** Length of the row of a picture. */
export function boxesWidth(most: number): number {
  return 1 + most * BOX_WIDTH;
}

/** Number of pixels of the original picture that the whole input picture stands for; `start`: index of the picture's row. */
export function picturePixels(targets: ArrayLike<number>, start: number): number {
  return targets[start]!;
}

/** The boxes of a picture, without padding; `start`: index of the picture's row. */
export function boxesOf(targets: ArrayLike<number>, start: number, most: number): TargetBox[] {
  const found: TargetBox[] = [];
  for (let i = 0, at = start + 1; i < most && targets[at] !== NO_BOX; i++, at += BOX_WIDTH)
    found.push({
      label: targets[at]!,
      xmin: targets[at + 1]!,
      ymin: targets[at + 2]!,
      xmax: targets[at + 3]!,
      ymax: targets[at + 4]!,
      area: targets[at + 5]!,
      isIgnored: targets[at + 6] === 1,
    });
  return found;
}

/** Writes the row of a picture; at most as many boxes as the row has places for. */
export function writeBoxes(row: Float32Array, pixels: number, boxes: readonly TargetBox[]): void {
  row.fill(0);
  row[0] = pixels;
  for (let at = 1; at < row.length; at += BOX_WIDTH) row[at] = NO_BOX;
  boxes.forEach(({ label, xmin, ymin, xmax, ymax, area, isIgnored }, i) =>
    row.set([label, xmin, ymin, xmax, ymax, area, Number(isIgnored)], 1 + i * BOX_WIDTH),
  );
}

export function areaOf({ xmin, ymin, xmax, ymax }: Corners): number {
  return (xmax - xmin) * (ymax - ymin);
}
