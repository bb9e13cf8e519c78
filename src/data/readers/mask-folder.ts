import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { ImageOptions } from '../config.ts';
import { sharedBytes } from '../dataset.ts';
import type { RawSplit } from '../dataset.ts';
import { ImageSink } from '../pictures/images.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import { maskPixels, resizedMask } from '../pictures/mask.ts';
import type { MaskSize } from '../pictures/mask.ts';
import { pictureHeader } from '../pictures/picture.ts';
import { IGNORED } from '../targets/move-mask.ts';
import { readPictures } from './image-folder.ts';
import { noLabels } from './labelled.ts';
import type { LabelsRead } from './labelled.ts';
import { refuseUnknownClasses, listedClassNames, maskClassNames } from './mask-classes.ts';
import { maskFiles } from './mask-files.ts';

/** Number of masks that are read at a time. */
const AT_ONCE = 8;

interface MaskOptions extends ImageOptions, LabelsRead {
  /** Name of the split. */
  readonly part: string;
  readonly classes?: readonly string[] | undefined;
}

/**
 * Reads pictures with a class for each pixel: the folder `images` and masks of the same names in `masks`, or a list of Pascal VOC, such as
 * `VOC2012/ImageSets/Segmentation/train.txt`. `labels` are class indexes [count, height · width] of 8 bits, at the size of the samples. `UserError`
 * for a picture without a mask, and for a mask of another size or with other classes, with file and pixel.
 */
export async function readMaskFolder(
  source: string,
  { part, classes, withoutLabels = false, ...options }: MaskOptions,
  given: PicturesGiven = {},
): Promise<RawSplit> {
  const files = await maskFiles(source, withoutLabels);
  if (files === undefined) return readPictures(source, options, given);
  const { pictures, masks, labelFile, notes } = files;
  const sink = new ImageSink(options, pictures.length, given);
  await sink.add(pictures.map((file) => ({ where: file, input: file })));
  const held = sink.held(source);
  const [height, width] = sink.shape!;
  const named = labelFile === undefined ? classes : await listedClassNames(labelFile, classes);
  const read = {
    ...{ source, sampleShape: sink.shape!, ...held, originals: sink.originals() },
    notes: [...held.notes, ...notes],
  };
  if (withoutLabels) return { ...read, ...(named && { classNames: named }), labels: noLabels(pictures.length) };
  given.room?.demand(
    pictures.length * height * width,
    `${source}: ${pictures.length} masks of ${height}x${width}`,
    'Set a smaller `resize`, use fewer files, or free memory.',
  );
  const values = sharedBytes(pictures.length * height * width);
  const readMask = async (picture: string, i: number): Promise<void> => {
    const file = masks[i]!;
    const size = await uprightSize(picture);
    const mask = await maskPixels(await readBytes(file), file, size);
    refuseUnknownClasses(mask, file, size, named?.length ?? IGNORED);
    values.set(resizedMask(mask, size, { height, width }), i * height * width);
  };
  for (let from = 0; from < pictures.length; from += AT_ONCE) {
    const some = pictures.slice(from, from + AT_ONCE).map((picture, i) => readMask(picture, from + i));
    // Of several masks that are refused the first is named, whichever was read first.
    for (const ended of await Promise.allSettled(some)) if (ended.status === 'rejected') throw ended.reason;
  }
  const classNames = part === 'train' ? maskClassNames(values, source, named) : named;
  return {
    ...read,
    ...(classNames && { classNames }),
    labels: { kind: 'numbers', values, width: height * width, files: masks },
  };
}

/** Size of a picture as it is shown. `UserError` if its file turns it and its mask does not tell whether it is turned too. */
async function uprightSize(picture: string): Promise<MaskSize> {
  const { height, autoOrient, orientation = 1 } = await pictureHeader(picture);
  if (orientation === 1 || autoOrient.height !== height) return autoOrient;
  throw new UserError(
    `${picture}: its EXIF orientation (${orientation}) turns it, and whether its mask is turned too is unknown`,
    'Save picture and mask as they are shown, e.g. with `mogrify -auto-orient`.',
  );
}
