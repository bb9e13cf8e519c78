import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { ImageOptions } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import { maskPixels } from '../pictures/mask.ts';
import type { MaskSize } from '../pictures/mask.ts';
import { pictureHeader } from '../pictures/picture.ts';
import { IGNORED } from '../targets/ignored.ts';
import { readPictures } from './image-folder.ts';
import { noLabels } from './labelled.ts';
import type { LabelsRead } from './labelled.ts';
import { refuseUnknownClasses, listedClassNames, maskClassNames } from './mask-classes.ts';
import { maskedPictures, masksOfPictures } from './masked.ts';
import { maskFiles } from './mask-files.ts';
import type { DatasetConfig } from '../config.ts';
import type { SplitReader } from './registry.ts';

export interface MaskOptions extends ImageOptions, LabelsRead {
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
  const split = await maskedPictures(source, pictures, options, given);
  const named = labelFile === undefined ? classes : await listedClassNames(labelFile, classes);
  const read = { ...split, notes: [...split.notes!, ...notes] };
  if (withoutLabels) return { ...read, ...(named && { classNames: named }), labels: noLabels(pictures.length) };
  const readMask = async (i: number) => {
    const file = masks[i]!;
    const size = await uprightSize(pictures[i]!);
    const mask = await maskPixels(await readBytes(file), file, size);
    refuseUnknownClasses(mask, file, size, named?.length ?? IGNORED);
    return { mask, size };
  };
  const values = await masksOfPictures(split, pictures.length, readMask, given);
  const classNames = part === 'train' ? maskClassNames(values, source, named) : named;
  return {
    ...read,
    ...(classNames && { classNames }),
    labels: { kind: 'numbers', values, width: values.length / pictures.length, files: masks },
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

export const reader: SplitReader<Extract<DatasetConfig, { type: 'mask-folder' }>> = {
  shares: 'decoded',
  read: (source, options) => readMaskFolder(source, options, options),
};
