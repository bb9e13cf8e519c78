import type { RandomStream } from '../../base/random.ts';

/** Part of an image, in whole pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The box at the same place of a picture of another size, at least one pixel. */
export function scaledBox({ top, left, height, width }: Box, [down, across]: readonly [number, number]): Box {
  const [y, x] = [Math.round(top * down), Math.round(left * across)];
  const [bottom, right] = [Math.round((top + height) * down), Math.round((left + width) * across)];
  return { top: y, left: x, height: Math.max(1, bottom - y), width: Math.max(1, right - x) };
}

const TRIES = 10;

/**
 * Draws a box inside an image: its share of the area and its width / height come from these ranges, the latter evenly by its logarithm; undefined if
 * ten draws did not fit.
 */
export function drawBox(
  { height, width }: { readonly height: number; readonly width: number },
  area: readonly [number, number],
  ratio: readonly [number, number],
  random: RandomStream,
): Box | undefined {
  const between = ([low, high]: readonly [number, number]): number => low + (high - low) * random.uniform();
  for (let i = 0; i < TRIES; i++) {
    const pixels = height * width * between(area);
    const shape = Math.exp(between([Math.log(ratio[0]), Math.log(ratio[1])]));
    const [w, h] = [Math.round(Math.sqrt(pixels * shape)), Math.round(Math.sqrt(pixels / shape))];
    if (w < 1 || h < 1 || w > width || h > height) continue;
    return { top: random.below(height - h + 1), left: random.below(width - w + 1), height: h, width: w };
  }
  return undefined;
}
