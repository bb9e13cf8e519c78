import type { Metadata, Sharp } from 'sharp';
import { scaledPixels } from './pixels.ts';
import type { Pixels } from './pixels.ts';

/** Grey level of the area beside a letterboxed picture, as YOLO has it. */
const PADDING = 114;

/** Place of a picture in a larger one, in pixels. */
export interface Placement {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Place of a picture that is scaled, with its proportions kept, to fit into the middle of a picture [height, width]. */
export function letterboxPlace(
  own: { readonly height: number; readonly width: number },
  [height, width]: readonly [number, number],
): Placement {
  const scale = Math.min(height / own.height, width / own.width);
  const scaled = (side: number, most: number): number => Math.min(most, Math.max(1, Math.round(side * scale)));
  const [inner, across] = [scaled(own.height, height), scaled(own.width, width)];
  return { top: (height - inner) >> 1, left: (width - across) >> 1, height: inner, width: across };
}

/** Like `scaledPixels`, with proportions kept and grey beside the picture. */
export async function letterboxedPixels(
  image: Sharp,
  found: Metadata,
  [height, width]: readonly [number, number],
  channels: 1 | 3,
): Promise<Pixels> {
  const place = letterboxPlace(found.autoOrient, [height, width]);
  const inner = await scaledPixels(image, found, [place.height, place.width], channels);
  const data = new Uint8Array(height * width * channels).fill(PADDING);
  const row = place.width * channels;
  for (let y = 0; y < place.height; y++)
    data.set(inner.data.subarray(y * row, (y + 1) * row), ((place.top + y) * width + place.left) * channels);
  return { data, height, width, channels };
}
