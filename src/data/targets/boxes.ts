import type { MosaicTargets } from './reader.ts';

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
      ...{ label: targets[at]!, xmin: targets[at + 1]!, ymin: targets[at + 2]! },
      ...{ xmax: targets[at + 3]!, ymax: targets[at + 4]!, area: targets[at + 5]!, isIgnored: targets[at + 6] === 1 },
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

/** Boxes of pictures that a mosaic shows; its row has the pixels of the first picture. */
export const boxesOfMosaic: MosaicTargets = {
  hasRoom({ targets, maxBoxes: most = 1 }) {
    const width = boxesWidth(most);
    const counts = Int32Array.from({ length: targets.length / width }, (_, row) => boxesOf(targets, row * width, most).length); // prettier-ignore
    return (rows) => rows.reduce((sum, row) => sum + counts[row]!, 0) <= most;
  },
  join(targets, counts) {
    const width = targets.length / counts.reduce((sum, count) => sum + count, 0);
    const out = new Float32Array(counts.length * width);
    let from = 0;
    counts.forEach((count, i) => {
      const starts = Array.from({ length: count }, (_, tile) => (from + tile) * width);
      const boxes = starts.flatMap((start) => boxesOf(targets, start, (width - 1) / BOX_WIDTH));
      writeBoxes(out.subarray(i * width, (i + 1) * width), picturePixels(targets, starts[0]!), boxes);
      from += count;
    });
    return out;
  },
};

export function areaOf({ xmin, ymin, xmax, ymax }: Corners): number {
  return (xmax - xmin) * (ymax - ymin);
}
