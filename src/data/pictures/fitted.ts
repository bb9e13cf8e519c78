import { letterboxed, withPadding } from './letterbox.ts';
import { LANCZOS, resized } from './resize.ts';
import type { Pixels } from './decoded.ts';

/**
 * Pixels [height, width, channels] that a model takes of a picture of as many channels, or of red, green, blue and others: scaled as the pictures of a
 * recipe are. Browsers make a small picture of few pixels of a large picture. `fit`: as the model's file states it.
 */
export function fittedPixels(
  picture: Pixels,
  [height, width, channels]: readonly [number, number, number],
  fit: string | undefined,
): Uint8Array {
  const to = fit === 'letterbox' ? letterboxed(picture, [height, width]) : { height, width };
  const from = [picture.height, picture.width, picture.channels] as const;
  const scaled = resized(picture.data, from, [to.height, to.width], LANCZOS);
  const data = inChannels(scaled, picture.channels, channels);
  return withPadding({ ...to, data, channels }, [height, width]).data;
}

function inChannels(data: Uint8Array, from: number, to: number): Uint8Array {
  if (from === to) return data;
  return to === 1 ? greyOf(data, from) : data.filter((_, i) => i % from < to);
}

/** Grey of a colour picture [pixels, channels], ITU-R 601-2 luma in integers, as Pillow's `convert("L")`. */
export function greyOf(pixels: Uint8Array, channels = 3): Uint8Array {
  const out = new Uint8Array(pixels.length / channels);
  for (let i = 0, at = 0; i < out.length; i++, at += channels)
    out[i] = (pixels[at]! * 19595 + pixels[at + 1]! * 38470 + pixels[at + 2]! * 7471 + 0x8000) >> 16;
  return out;
}

/** Pixels [pixels, 4] of an image in a browser, opaque, of [pixels, channels] in grey or in colour. */
export function opaque(pixels: ArrayLike<number>, channels: number): Uint8ClampedArray {
  const out = new Uint8ClampedArray((4 * pixels.length) / channels).fill(255);
  for (let i = 0; i < out.length; i++)
    if (i % 4 < 3) out[i] = pixels[(i >> 2) * channels + (channels < 3 ? 0 : i % 4)]!;
  return out;
}
