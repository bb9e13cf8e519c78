import { inPicture } from '../../data/pictures/letterbox.ts';
import type { PicturePlace } from '../../data/pictures/letterbox.ts';
import { decodedPoints, DECODED_WIDTH } from './simcc.ts';

/** A point in pixels of a picture, and its score from 0 to 1. */
export interface FoundPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly score: number;
}

/** Points of a picture that lies at `place` in the model's input, from logits [points, 2, bins] or from points [points, 3] that the file has decoded. */
export function foundPoints(
  row: ArrayLike<number>,
  names: readonly string[],
  size: { readonly height: number; readonly width: number },
  place: PicturePlace,
): FoundPoint[] {
  const isDecoded = row.length === DECODED_WIDTH * names.length;
  const found = isDecoded ? row : decodedPoints(row, row.length / names.length / 2);
  return names.map((name, k) => {
    const [across, down, score] = [0, 1, 2].map((i) => found[k * DECODED_WIDTH + i]!);
    const [x, y] = inPicture([across!, down!], size, place);
    return { name, x, y, score: score! };
  });
}
