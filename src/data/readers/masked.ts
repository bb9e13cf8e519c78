import { sharedBytes } from '../dataset.ts';
import type { RawSplit } from '../dataset.ts';
import { ImageSink } from '../pictures/images.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import { resizedMask } from '../pictures/mask.ts';
import type { MaskSize } from '../pictures/mask.ts';
import type { ImageOptions } from '../config.ts';

/** Number of masks that are read at a time. */
const AT_ONCE = 8;

/** A mask, [height, width] class indexes of 8 bits, at the size of its picture. */
interface Mask {
  readonly mask: Uint8Array;
  readonly size: MaskSize;
}

/** Pictures of a split, without labels yet. */
export async function maskedPictures(
  source: string,
  pictures: readonly string[],
  options: ImageOptions,
  given: PicturesGiven,
): Promise<Omit<RawSplit, 'labels'>> {
  const sink = new ImageSink(options, pictures.length, given);
  await sink.addFiles(pictures);
  return { source, sampleShape: sink.shape!, ...sink.held(source), originals: sink.originals() };
}

/** Masks of these pictures at the size of the samples, [count, height · width]. `UserError` if they do not fit into memory. */
export async function masksOfPictures(
  { source, sampleShape: [height, width] }: Pick<RawSplit, 'source' | 'sampleShape'>,
  count: number,
  readMask: (picture: number) => Promise<Mask>,
  { room }: PicturesGiven,
): Promise<Uint8Array> {
  const to = { height: height!, width: width! };
  const pixels = to.height * to.width;
  room?.demand(
    count * pixels,
    `${source}: ${count} masks of ${to.height}x${to.width}`,
    'Set a smaller `resize`, use fewer files, or free memory.',
  );
  const values = sharedBytes(count * pixels);
  const read = async (i: number): Promise<void> => {
    const { mask, size } = await readMask(i);
    values.set(resizedMask(mask, size, to), i * pixels);
  };
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => read(from + i));
    // Of several masks that are refused the first is named, whichever was read first.
    for (const ended of await Promise.allSettled(some)) if (ended.status === 'rejected') throw ended.reason;
  }
  return values;
}
