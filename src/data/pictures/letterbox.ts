import type { Pixels } from './decoded.ts';

/** Grey level of the area beside a letterboxed picture, as YOLO has it. */
export const LETTERBOX_GREY = 114;

/** Preparation of a letterboxed picture as files state it: the grey beside it, and the filter that scales it (that of Pillow's `LANCZOS`). */
export const LETTERBOX = { grey: LETTERBOX_GREY, filter: 'lanczos' } as const;

/** Size in pixels. */
interface Size {
  readonly height: number;
  readonly width: number;
}

/** Place of a picture in a larger one, in shares of the larger one. */
export interface PicturePlace {
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
}

/** Place of a picture in the input picture [height, width] of a model; without a size or `fit` it fills the whole. */
export function placeIn(own: Size, to: readonly [number, number] | undefined, fit: string | undefined): PicturePlace {
  if (to === undefined || fit !== 'letterbox') return { left: 0, top: 0, across: 1, down: 1 };
  const { left, top, height, width } = letterboxed(own, to);
  return { left: left / to[1], top: top / to[0], across: width / to[1], down: height / to[0] };
}

/** Pixel of a picture at x and y, shares of a model's input picture, in which it has this place; the nearest pixel for a point beside the picture. */
export function inPicture(
  [x, y]: readonly [number, number],
  { width, height }: Size,
  { left, top, across, down }: PicturePlace,
): [x: number, y: number] {
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  return [width * within((x - left) / across), height * within((y - top) / down)];
}

/** Place in pixels of a picture that is scaled, with its proportions kept, to fit into the middle of a picture [height, width]. */
export function letterboxed(own: Size, [height, width]: readonly [number, number]) {
  const scale = Math.min(height / own.height, width / own.width);
  const scaled = (side: number, most: number): number => Math.min(most, Math.max(1, Math.round(side * scale)));
  const [down, across] = [scaled(own.height, height), scaled(own.width, width)];
  return { top: (height - down) >> 1, left: (width - across) >> 1, height: down, width: across };
}

/** A scaled picture in the middle of grey, [height, width, channels]. */
export function withPadding(inner: Pixels, [height, width]: readonly [number, number]): Pixels {
  const { channels } = inner;
  const [top, left] = [(height - inner.height) >> 1, (width - inner.width) >> 1];
  const data = new Uint8Array(height * width * channels).fill(LETTERBOX_GREY);
  const row = inner.width * channels;
  for (let y = 0; y < inner.height; y++)
    data.set(inner.data.subarray(y * row, (y + 1) * row), ((top + y) * width + left) * channels);
  return { data, height, width, channels };
}
