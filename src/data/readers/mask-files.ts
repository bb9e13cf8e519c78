import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { shown, UserError } from '../../base/errors.ts';
import { asUserError, readUtf8 } from '../../base/files.ts';
import { IGNORED } from '../targets/ignored.ts';
import { allFiles } from './class-folder.ts';
import { PICTURES } from './image-folder.ts';

const MASKS = { extensions: new Set(['.png']), what: 'masks', kinds: 'PNG' };

/** Folders of pictures and of their masks; the second pair is Pascal VOC's. */
const LAYOUTS = [
  { images: 'images', masks: 'masks' },
  { images: 'JPEGImages', masks: 'SegmentationClass' },
] as const;
/** Folders of Pascal VOC's lists of pictures, a file for each split. */
const [LISTS, OF_MASKS] = ['ImageSets', 'Segmentation'];
/** Files of class names, one on each line: of anyone, and of labelme's export. */
const NAMES = ['labels.txt', 'class_names.txt'];
/** Pictures of a split and their masks. */
interface MaskFiles {
  readonly pictures: readonly string[];
  /** The mask of each picture; none if labels are not read. */
  readonly masks: readonly string[];
  /** File of class names. */
  readonly labelFile: string | undefined;
  /** Warnings, one sentence each. */
  readonly notes: readonly string[];
}

/** Folders of pictures and of masks among these names of a folder. */
export function maskLayout(names: readonly string[], withoutMasks = false): (typeof LAYOUTS)[number] | undefined {
  return LAYOUTS.find(({ images, masks }) => names.includes(images) && (withoutMasks || names.includes(masks)));
}

/**
 * Files of a folder or of a list of Pascal VOC, in the order of their names or of the list. Undefined for a folder of pictures alone, if labels are not
 * read. `UserError` for a picture without a mask.
 */
export async function maskFiles(source: string, withoutLabels: boolean): Promise<MaskFiles | undefined> {
  const isList = path.extname(source) === '.txt';
  const root = isList ? path.resolve(source, '..', '..', '..') : source;
  const inside = await folderNames(root);
  const layout = maskLayout(inside, withoutLabels);
  if (layout === undefined && withoutLabels) return undefined;
  if (layout === undefined) throw noPictures(root, inside);
  if (!isList) refuseWhole(root, await maskLists(root, inside));
  const folder = { images: path.join(root, layout.images), masks: path.join(root, layout.masks) };
  const all = await allFiles(folder.images, PICTURES);
  const named = byName(all.files, folder.images);
  const pictures = isList ? await listed(source, named) : all.files;
  const names = NAMES.find((name) => inside.includes(name));
  const labelFile = names && path.join(root, names);
  if (withoutLabels) return { pictures, masks: [], labelFile, notes: all.notes };
  const found = byName((await allFiles(folder.masks, MASKS)).files, folder.masks);
  const masks = pictures.map((picture) => maskOf(picture, found, folder.masks));
  const used = new Set(masks);
  const unused = [...found.values()].filter((file) => !used.has(file));
  const left = `${folder.masks}: ${unused.length} of its masks have no picture and are not read, such as ${unused[0]!}`;
  return { pictures, masks, labelFile, notes: [...all.notes, ...(isList || unused.length === 0 ? [] : [left])] };
}

function noPictures(root: string, inside: readonly string[]): UserError {
  const some = inside.length === 0 ? 'nothing' : inside.slice(0, 5).join(', ') + (inside.length > 5 ? ', …' : '');
  return new UserError(
    `${root}: expected the folders ${LAYOUTS.map(({ images, masks }) => `${images} and ${masks}`).join(', or ')}, received ${some}`,
    'Name the folder of one split, such as `train: scenes/train` with the pictures in `scenes/train/images` and their masks in `scenes/train/masks`; or a list of Pascal VOC.',
  );
}

/** Pascal VOC's lists of pictures in a folder, relative to it; `inside`: names in the folder. */
export function maskLists(root: string, inside: readonly string[]): Promise<readonly string[]> {
  return vocLists(root, inside, OF_MASKS);
}

/** Pascal VOC's lists of a kind, such as `Main`. */
export async function vocLists(root: string, inside: readonly string[], kind: string): Promise<readonly string[]> {
  const hasLists = inside.includes(LISTS) && (await folderNames(path.join(root, LISTS))).includes(kind);
  const names = hasLists ? await folderNames(path.join(root, LISTS, kind)) : [];
  return names.filter((name) => name.endsWith('.txt')).map((name) => path.join(LISTS, kind, name));
}

/** `UserError` for the whole of Pascal VOC, whose lists say which pictures are of which split. */
export function refuseWhole(root: string, lists: readonly string[]): void {
  if (lists.length === 0) return;
  throw new UserError(
    `${root}: it holds lists of the pictures of its splits: ${lists.join(', ')}`,
    `Name one split at a time, as in \`train: ${path.join(path.basename(root), lists[0]!)}\`.`,
  );
}

/** Files by their names without the extension. `UserError` for folders in the folder, and for two files of a name. */
export function byName(files: readonly string[], folder: string): Map<string, string> {
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
export async function listed(list: string, pictures: ReadonlyMap<string, string>): Promise<string[]> {
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

export async function folderNames(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    throw asUserError(error, folder, 'read');
  });
}
