import type { Sharp } from 'sharp';
import type { PictureHeader } from './header.ts';
import { letterboxed, withPadding } from './letterbox.ts';
import { scaledPixels } from './pixels.ts';
import type { Pixels } from './decoded.ts';

/** Like `scaledPixels`, with proportions kept and grey beside the picture. */
export async function letterboxedPixels(
  image: Sharp,
  found: PictureHeader,
  to: readonly [number, number],
  channels: 1 | 3,
): Promise<Pixels> {
  const { height, width } = letterboxed(found.autoOrient, to);
  return withPadding(await scaledPixels(image, found, [height, width], channels), to);
}
