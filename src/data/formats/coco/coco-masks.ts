import { paintObject } from './paint-object.ts';
import type { MaskSize } from '../../pictures/mask.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import type { RawSplit } from '../../dataset.ts';
import { sizeOf } from '../../readers/boxes/annotated.ts';
import { annotationsIn } from './coco.ts';
import type { CocoSource } from './coco.ts';
import { readPictures } from '../../readers/image-folder.ts';
import { maskedPictures, masksOfPictures } from '../../readers/masked.ts';
import type { MaskOptions } from '../../readers/mask-folder.ts';

/** Class of the pixels that no annotation covers. */
const BACKGROUND = 'background';

/**
 * Reads pictures with masks in COCO's format: polygons and run lengths. The first class is the background, which all pixels have that no annotation
 * covers; then come the categories in the order of their ids, but one of the name `background`. Where annotations overlap, the later one in the file
 * counts; those of crowds lie below all others. `UserError` with the place in the JSON file.
 */
export async function readCocoMasks(
  { images: folder, labels: file }: CocoSource,
  { withoutLabels = false, ...options }: MaskOptions,
  given: PicturesGiven = {},
): Promise<RawSplit> {
  if (file === undefined || withoutLabels) return readPictures(folder, options, given);
  const { pictures, classNames: categories } = await annotationsIn(file, folder, 'masks');
  const classNames = [BACKGROUND, ...categories.filter((name) => name !== BACKGROUND)];
  // Sizes first: they name a missing picture by its place in the file.
  const sizes: MaskSize[] = [];
  for (const picture of pictures) sizes.push(await sizeOf(picture));
  const read = await maskedPictures(
    file,
    pictures.map((picture) => picture.file),
    options,
    given,
  );
  const readMask = (i: number) => {
    const size = sizes[i]!;
    const mask = new Uint8Array(size.height * size.width);
    const isCrowd = ({ iscrowd = 0 }: { readonly iscrowd?: number | boolean }): boolean => Boolean(iscrowd);
    const { annotations } = pictures[i]!;
    for (const one of [...annotations.filter(isCrowd), ...annotations.filter((each) => !isCrowd(each))])
      paintObject(
        mask,
        size,
        one.segmentation,
        classNames.indexOf(categories[one.label]!),
        `${one.where}.segmentation`,
      );
    return Promise.resolve({ mask, size });
  };
  const values = await masksOfPictures(read, pictures.length, readMask, given);
  const files = pictures.map(({ where }) => where);
  const labels = { kind: 'numbers', values, width: values.length / pictures.length, files } as const;
  return { ...read, classNames, labels };
}
