import type { Sharp } from 'sharp';
import { greyOf } from './fitted.ts';
import type { PictureHeader } from './header.ts';
import { LANCZOS, resized } from './resize.ts';
import type { Pixels } from './decoded.ts';

/**
 * 8-bit values of a picture, without transparency. Grey is the luma of ITU-R 601-2, as in Pillow, torchvision and a kit's samples; sharp's grey
 * differs, and so do its colours of CMYK files without a profile.
 */
export async function rawPixels(image: Sharp, found: PictureHeader, channels: 1 | 3): Promise<Pixels> {
  return inChannels(await inColour(image, found), channels);
}

/** Like `rawPixels`, at another size; proportions may change. */
export async function scaledPixels(
  image: Sharp,
  found: PictureHeader,
  [height, width]: readonly [number, number],
  channels: 1 | 3,
): Promise<Pixels> {
  const [shown, form] = found.hasAlpha ? [await withoutAlpha(image, found), COLOUR] : [image, found];
  const smaller = await inColour(shown.resize(width, height, { fit: 'fill', withoutEnlargement: true }), form);
  // sharp shifts enlarged pictures by half a pixel of the result; phones and Pillow do not.
  const from = [smaller.height, smaller.width, 3] as const;
  const data = resized(new Uint8Array(smaller.data), from, [height, width], LANCZOS);
  return inChannels({ data, height, width, channels: 3 }, channels);
}

type Found = Pick<PictureHeader, 'space' | 'icc'>;

const COLOUR: Found = { space: 'srgb' };

async function inColour(image: Sharp, { space, icc }: Found): Promise<Pixels & { readonly channels: 3 }> {
  const isInks = space === 'cmyk' && icc === undefined;
  const read = isInks ? image.pipelineColourspace('cmyk').toColourspace('cmyk') : image.toColourspace('srgb');
  // Grey files have three equal channels at this point, whose luma is their grey.
  const { data, info } = await read.removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data: isInks ? coloursOf(data) : data, height: info.height, width: info.width, channels: 3 };
}

/** A picture without transparency. It is dropped before scaling, because sharp weighs pixels by their opacity. */
async function withoutAlpha(image: Sharp, found: Found): Promise<Sharp> {
  const { data, ...raw } = await inColour(image, found);
  const { default: sharp } = await import('sharp');
  return sharp(data, { raw, limitInputPixels: false });
}

function inChannels(pixels: Pixels, channels: 1 | 3): Pixels {
  return channels === 1 ? { ...pixels, data: greyOf(pixels.data), channels } : pixels;
}

/** RGB of CMYK without a profile, as browsers and Pillow's `convert("RGB")` compute it. */
function coloursOf(inks: Uint8Array): Uint8Array {
  const out = new Uint8Array((inks.length / 4) * 3);
  for (let i = 0; i < out.length; i++) {
    const pixel = 4 * Math.floor(i / 3);
    out[i] = Math.round(((255 - inks[pixel + (i % 3)]!) * (255 - inks[pixel + 3]!)) / 255);
  }
  return out;
}
