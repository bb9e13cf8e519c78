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
  /** Filling of the area outside of the old picture: black, or the picture mirrored at its border pixels. */
  readonly edge: 'black' | 'reflect';
}

/** Maps of the steps that moved a sample, in the order of the steps; steps that keep pixels in their places add none. */
export type Geometry = PixelMap[];

/** Map without shears or turns: x' = xx·x + x0, y' = yy·y + y0. */
export function straight(
  [xx, x0]: readonly [number, number],
  [yy, y0]: readonly [number, number],
  edge: PixelMap['edge'] = 'black',
): PixelMap {
  return { xx, xy: 0, x0, yx: 0, yy, y0, edge };
}

/** Reflected position, also between pixels: -1 becomes 1, `size` becomes `size - 2`; the border pixel itself is not repeated. */
export function mirrored(position: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inPeriod = ((position % period) + period) % period;
  return Math.min(inPeriod, period - inPeriod);
}
