import type { Sharp } from 'sharp';
import { LANCZOS, resized } from './resize.ts';

/** A decoded picture. */
export interface Pixels {
  /** [height, width, channels]. */
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Values of a picture in 8 bits, without transparency. Grey is the luma of ITU-R 601-2, as Pillow, torchvision and a kit's samples have it; sharp's own is another. */
export async function rawPixels(image: Sharp, channels: 1 | 3): Promise<Pixels> {
  const raw = image.removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' });
  // Grey files have three equal channels here, whose luma is that grey.
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  return { data: channels === 1 ? greyOf(data) : data, height: info.height, width: info.width, channels };
}

/** The same at another size, whatever the proportions are. */
export async function scaledPixels(
  image: Sharp,
  [height, width]: readonly [number, number],
  channels: 1 | 3,
): Promise<Pixels> {
  const smaller = await rawPixels(image.resize(width, height, { fit: 'fill', withoutEnlargement: true }), channels);
  if (smaller.height === height && smaller.width === width) return smaller;
  // sharp moves what it enlarges by half a pixel of the result; phones and Pillow do not.
  const from = [smaller.height, smaller.width, channels] as const;
  return { data: resized(new Uint8Array(smaller.data), from, [height, width], LANCZOS), height, width, channels };
}

/** Grey of a colour picture, ITU-R 601-2 luma in whole numbers, as Pillow's `convert("L")`. */
export function greyOf(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array(pixels.length / 3);
  for (let i = 0; i < out.length; i++)
    out[i] = (pixels[3 * i]! * 19595 + pixels[3 * i + 1]! * 38470 + pixels[3 * i + 2]! * 7471 + 0x8000) >> 16;
  return out;
}
