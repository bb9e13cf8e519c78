import { UserError } from '../../base/errors.ts';
import type { EncodedImage } from '../dataset.ts';
import { letterboxed, withPadding } from './letterbox.ts';
import { OF_FILES, withPicture } from './picture.ts';
import { rawPixels } from './pixels.ts';
import { broughtTo } from './resize.ts';
import type { Resizing } from './resize.ts';

/** Decodes a picture to 8 bits, [height, width, channels], and resizes it as Pillow does; transparency is dropped. */
export async function decodedPicture(
  { where, input }: EncodedImage,
  [height, width, channels]: readonly [number, number, number],
  resizing: Resizing = {},
): Promise<Uint8Array> {
  const own = await withPicture(input, OF_FILES, (image, found) =>
    rawPixels(image, found, channels === 1 ? 1 : 3),
  ).catch((error: unknown) => {
    throw new UserError(
      `${where}: cannot decode the image: ${String(error instanceof Error ? error.message : error).split('\n')[0]!}`,
      'It was readable when the run began: keep the pictures unchanged until the run is finished.',
      { cause: error },
    );
  });
  const bring = (to: readonly [number, number]): Uint8Array =>
    broughtTo(new Uint8Array(own.data), [own.height, own.width, own.channels], to, resizing);
  if (resizing.fit !== 'letterbox') return bring([height, width]);
  const inner = letterboxed(own, [height, width]);
  const data = bring([inner.height, inner.width]);
  return withPadding({ ...inner, data, channels: own.channels }, [height, width]).data;
}
