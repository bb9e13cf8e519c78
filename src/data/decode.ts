import sharp from 'sharp';
import { UserError } from '../base/errors.ts';
import type { EncodedImage } from './dataset.ts';
import { greyOf, resized } from './resize.ts';

/** A picture file in 8 bits, [height, width, channels], as Pillow decodes and resizes it; transparency is dropped. */
export async function decoded(
  { where, input }: EncodedImage,
  [height, width, channels]: readonly [number, number, number],
): Promise<Uint8Array> {
  const image = sharp(input, { failOn: 'error' }).autoOrient().removeAlpha().toColourspace('srgb');
  const { data, info } = await image
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new UserError(
        `${where}: cannot decode the image: ${String(error instanceof Error ? error.message : error).split('\n')[0]!}`,
        'It was read when the run began: leave the pictures in place until the run is over.',
        { cause: error },
      );
    });
  // Grey files stay grey in sharp where nothing asks for more.
  const own = info.channels === 3 && channels === 1 ? greyOf(data) : new Uint8Array(data);
  const has = info.channels === 3 && channels === 1 ? 1 : info.channels;
  const scaled = resized(own, [info.height, info.width, has], [height, width]);
  if (has === channels) return scaled;
  const out = new Uint8Array(height * width * channels);
  for (let i = 0; i < out.length; i++) out[i] = scaled[Math.floor(i / channels)]!;
  return out;
}
