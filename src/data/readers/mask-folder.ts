import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { shown, UserError } from '../../base/errors.ts';
import { asUserError, readBytes, readUtf8 } from '../../base/files.ts';
import type { ImageOptions } from '../config.ts';
import { sharedBytes } from '../dataset.ts';
import type { RawSplit } from '../dataset.ts';
import { ImageSink } from '../pictures/images.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import { maskPixels, resizedMask } from '../pictures/mask.ts';
import type { MaskSize } from '../pictures/mask.ts';
import { pictureHeader } from '../pictures/picture.ts';
import { IGNORED } from '../targets/move-mask.ts';
import { allFiles } from './class-folder.ts';
import { PICTURES, readPictures } from './image-folder.ts';
import { noLabels } from './labelled.ts';
import type { LabelsRead } from './labelled.ts';
import { refuseUnknownClasses, listedClassNames, maskClassNames } from './mask-classes.ts';
import type { Part } from './registry.ts';

const MASKS = { extensions: new Set(['.png']), what: 'masks', kinds: 'PNG' };

/** Folders of pictures and of their masks; the second pair is Pascal VOC's. */
const LAYOUTS = [
  { images: 'images', masks: 'masks' },
  { images: 'JPEGImages', masks: 'SegmentationClass' },
] as const;
/** Folder of Pascal VOC's lists of pictures, a file for each split. */
const LISTS = path.join('ImageSets', 'Segmentation');
/** Files of class names, one on each line: of anyone, and of labelme's export. */
const NAMES = ['labels.txt', 'class_names.txt'];
/** Number of masks that are read at a time. */
const AT_ONCE = 8;

interface MaskOptions extends ImageOptions, LabelsRead {
  readonly part: Part;
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
  const isList = path.extname(source) === '.txt';
  const root = isList ? path.resolve(source, '..', '..', '..') : source;
  const inside = await namesIn(root);
  const layout = LAYOUTS.find(
    ({ images, masks }) => inside.includes(images) && (withoutLabels || inside.includes(masks)),
  );
  if (layout === undefined && withoutLabels) return readPictures(source, options, given);
  if (layout === undefined) throw noPictures(root, inside);
  if (!isList && inside.includes('ImageSets')) await refuseWhole(root);
  const folder = { images: path.join(root, layout.images), masks: path.join(root, layout.masks) };
  const pictures = byName((await allFiles(folder.images, PICTURES)).files, folder.images);
  const files = isList ? await listed(source, pictures) : [...pictures.values()];
  const sink = new ImageSink(options, files.length, given);
  await sink.add(files.map((file) => ({ where: file, input: file })));
  const held = sink.held(source);
  const [height, width] = sink.shape!;
  const labelFile = NAMES.find((name) => inside.includes(name));
  const named = labelFile === undefined ? classes : await listedClassNames(path.join(root, labelFile), classes);
  const read = { source, sampleShape: sink.shape!, ...held, originals: sink.originals() };
  if (withoutLabels) return { ...read, ...(named && { classNames: named }), labels: noLabels(files.length) };

  const found = byName((await allFiles(folder.masks, MASKS)).files, folder.masks);
  const masks = files.map((picture) => maskOf(picture, found, folder.masks));
  const used = new Set(masks);
  const unused = [...found.values()].filter((file) => !used.has(file));
  given.room?.demand(
    files.length * height * width,
    `${source}: ${files.length} masks of ${height}x${width}`,
    'Set a smaller `resize`, use fewer files, or free memory.',
  );
  const values = sharedBytes(files.length * height * width);
  for (let from = 0; from < files.length; from += AT_ONCE)
    await Promise.all(
      files.slice(from, from + AT_ONCE).map(async (picture, i) => {
        const size = await uprightSize(picture);
        const mask = await maskPixels(await readBytes(masks[from + i]!), masks[from + i]!, size);
        refuseUnknownClasses(mask, masks[from + i]!, size, named?.length ?? IGNORED);
        values.set(resizedMask(mask, size, { height, width }), (from + i) * height * width);
      }),
    );
  const classNames = part === 'train' ? maskClassNames(values, source, named) : named;
  const left = `${folder.masks}: ${unused.length} of its masks have no picture and are not read, such as ${unused[0]!}`;
  return {
    ...read,
    ...(classNames && { classNames }),
    labels: { kind: 'numbers', values, width: height * width },
    notes: [...held.notes, ...(isList || unused.length === 0 ? [] : [left])],
  };
}

function noPictures(root: string, inside: readonly string[]): UserError {
  const some = inside.length === 0 ? 'nothing' : inside.slice(0, 5).join(', ') + (inside.length > 5 ? ', …' : '');
  return new UserError(
    `${root}: expected the folders ${LAYOUTS.map(({ images, masks }) => `${images} and ${masks}`).join(', or ')}, received ${some}`,
    'Name the folder of one split, such as `train: scenes/train` with the pictures in `scenes/train/images` and their masks in `scenes/train/masks`; or a list of Pascal VOC.',
  );
}

/** `UserError` for the whole of Pascal VOC, whose lists say which pictures are of which split. */
async function refuseWhole(root: string): Promise<void> {
  const lists = (await namesIn(path.join(root, LISTS))).filter((name) => name.endsWith('.txt'));
  if (lists.length === 0) return;
  throw new UserError(
    `${root}: ${LISTS} lists the pictures of its splits: ${lists.join(', ')}`,
    `Name one split at a time, as in \`train: ${path.join(path.basename(root), LISTS, lists[0]!)}\`.`,
  );
}

/** Files by their names without the extension. `UserError` for folders in the folder, and for two files of a name. */
function byName(files: readonly string[], folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of files) {
    const { dir, name } = path.parse(path.relative(folder, file));
    if (dir !== '')
      throw new UserError(
        `${folder}: expected files, received the folder ${dir} with files in it`,
        'Name one split at a time: a folder with its own pictures and masks.',
      );
    const other = found.get(name);
    if (other !== undefined)
      throw new UserError(
        `${file}: the name ${name} is that of ${other} too`,
        'Give every picture a name of its own: a mask belongs to the picture of its name.',
      );
    found.set(name, file);
  }
  return found;
}

/** The pictures that a list names, in its order. */
async function listed(list: string, pictures: ReadonlyMap<string, string>): Promise<string[]> {
  const lineOf = new Map<string, number>();
  for (const [at, line] of (await readUtf8(list)).split(/\r?\n/).entries()) {
    const name = line.trim();
    if (name === '') continue;
    const where = `${list}:${at + 1}`;
    if (!pictures.has(name))
      throw new UserError(
        `${where}: no picture ${shown(name)}`,
        'A list has the names of pictures, without extension.',
      );
    if (lineOf.has(name))
      throw new UserError(`${where}: ${name} is in line ${lineOf.get(name)!} too`, 'List every picture once.');
    lineOf.set(name, at + 1);
  }
  if (lineOf.size === 0) throw new UserError(`${list}: the list names no picture`, 'Name another list.');
  return Array.from(lineOf.keys(), (name) => pictures.get(name)!);
}

function maskOf(picture: string, masks: ReadonlyMap<string, string>, folder: string): string {
  const { name } = path.parse(picture);
  const mask = masks.get(name);
  if (mask !== undefined) return mask;
  throw new UserError(
    `${picture}: its mask is missing, expected ${path.join(folder, `${name}.png`)}`,
    `Add it, a PNG with ${IGNORED} at each pixel without a class; or remove the picture, or move it to the folder under \`unlabelled\`.`,
  );
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

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    throw asUserError(error, folder, 'read');
  });
}
