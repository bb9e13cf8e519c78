/**
 * Map of a step from pixels of the changed picture to those of the picture before: x' = xx·x + xy·y + x0 and y' = yx·x + yy·y + y0, where whole
 * numbers are the centres of pixels, x points right and y down.
 */
export interface PixelMap {
  readonly xx: number;
  readonly xy: number;
  readonly x0: number;
  readonly yx: number;
  readonly yy: number;
  readonly y0: number;
}

/** Maps of the steps that moved a sample, in the order of the steps; steps that keep pixels in their places add none. */
export type Geometry = PixelMap[];

/** Map without shears or turns: x' = xx·x + x0, y' = yy·y + y0. */
export function straight([xx, x0]: readonly [number, number], [yy, y0]: readonly [number, number]): PixelMap {
  return { xx, xy: 0, x0, yx: 0, yy, y0 };
}
