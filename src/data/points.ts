/** Pixels from a point to the next one at each level of a detector's pyramid, in height and width. */
export const POINT_STRIDES = [8, 16, 32] as const;

/** The points of a picture at which a detector answers: the centres of the cells of each level's grid, level by level and row by row. */
export interface Points {
  readonly count: number;
  /** [count, 2] x and y, as shares of the picture's width and height. */
  readonly centres: Float32Array;
  /** [count, 2] width and height of the cell of each point: the cell's width divided by the picture's, and its height by the picture's. */
  readonly cells: Float32Array;
}

/** Points of pictures whose height and width are multiples of the largest stride. */
export function detectorPoints(height: number, width: number): Points {
  const centres: number[] = [];
  const cells: number[] = [];
  for (const stride of POINT_STRIDES)
    for (let y = stride / 2; y < height; y += stride)
      for (let x = stride / 2; x < width; x += stride) {
        centres.push(x / width, y / height);
        cells.push(stride / width, stride / height);
      }
  return { count: centres.length / 2, centres: Float32Array.from(centres), cells: Float32Array.from(cells) };
}
