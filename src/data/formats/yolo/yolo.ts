import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { firstLine, shown, UserError } from '../../../base/errors.ts';
import { exists, readUtf8 } from '../../../base/files.ts';
import { isNamedIn } from '../../../base/folders/inside.ts';
import { refuseExcess } from '../../../recipe/yaml.ts';
import type { RawSplit } from '../../dataset.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import { allFiles } from '../../readers/class-folder.ts';
import { PICTURES } from '../../readers/image-folder.ts';
import { readAnnotated } from '../../readers/boxes/annotated.ts';
import type { AnnotatedBox, AnnotatedPicture, BoxOptions } from '../../readers/boxes/annotated.ts';
import { checkedContent } from '../../readers/boxes/checked.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SampleStart } from '../../readers/guess.ts';
import type { SplitReader } from '../../readers/registry.ts';

/** Key of a data.yaml for each split. */
const KEYS = { train: 'train', validation: 'val', test: 'test', unlabelled: 'unlabelled' } as const;
/** Number of files of boxes that are read at a time. */
const AT_ONCE = 64;
/** Files of class names, one on each line, beside files of boxes or above them. */
const NAMES = ['classes.txt', 'obj.names', 'labels.txt'];
const OTHERS = new Set(NAMES);

const place = z
  .union([z.string(), z.array(z.string()).min(1)], { error: 'expected a folder, a list, or several' })
  .nullish();
const dataSchema = z.object({
  path: z.string().nullish(),
  train: place,
  val: place,
  test: place,
  unlabelled: place,
  names: z.union([z.array(z.coerce.string()).min(1), z.record(z.string(), z.coerce.string())], {
    error: 'expected the names of the classes, as a list or by their numbers',
  }),
  nc: z.int().nullish(),
});
type YoloData = z.infer<typeof dataSchema>;

interface YoloOptions extends BoxOptions {
  readonly part: keyof typeof KEYS;
  readonly classes?: readonly string[] | undefined;
}

/**
 * Reads pictures with boxes in YOLO's format: a data.yaml with the places of the splits and the names of the classes; or a folder of pictures, or a
 * list of pictures, whose classes the recipe names, or a file such as `classes.txt` near the boxes. Boxes lie in text files of the pictures' names, in `labels` in place of the last folder `images` of
 * their path: a line `class cx cy width height` for each, in shares of the picture. `UserError` with file and line.
 */
export async function readYolo(source: string, options: YoloOptions, given: PicturesGiven = {}): Promise<RawSplit> {
  const { part, classes, withoutLabels = false } = options;
  const { data, places, files, notes: found } = await yoloPictures(source, part);
  const stated = data === undefined ? classes : namesIn(data, source);
  const classNames = stated ?? (files[0] === undefined ? undefined : await namesNear(labelFile(files[0])));
  const notes = [...found];
  if (!withoutLabels && classNames === undefined)
    throw new UserError(
      `${source}: boxes have numbers of classes, and nothing names the classes`,
      'Name a data.yaml in place of the folder, or the classes in the order of their numbers as `classes`, or write a name on each line of a file `classes.txt` beside the folders of pictures and labels.',
    );
  const pictures: AnnotatedPicture[] = [];
  const without: string[] = [];
  for (let from = 0; from < files.length; from += AT_ONCE) {
    const some = files.slice(from, from + AT_ONCE);
    const read = await Promise.all(
      some.map(async (file) => (withoutLabels ? [] : boxesIn(labelFile(file), classNames!))),
    );
    some.forEach((file, i) => {
      if (read[i] === undefined) without.push(labelFile(file));
      pictures.push({ file, where: file, unit: 'shares', boxes: read[i] ?? [] });
    });
  }
  if (without.length === files.length) throw noBoxes(source, without[0]!);
  if (without.length > 0)
    notes.push(
      `${source}: ${without.length} pictures have no file of boxes and count as pictures without boxes; the first such file is ${without[0]!}`,
    );
  if (!withoutLabels && !places.some(isList)) notes.push(...(await unused(files.map(labelFile))));
  return readAnnotated(source, pictures, { ...options, classNames, notes }, given);
}

/** Pictures of a split, with the folders and lists that name them. */
export async function yoloPictures(source: string, part: keyof typeof KEYS) {
  const data = isYaml(source) ? await yoloData(source) : undefined;
  const places = data === undefined ? [source] : await placesOf(data, source, KEYS[part]);
  const folder = path.dirname(source);
  const all = await Promise.all(
    places.map(async (at) => (isList(at) ? { files: await listed(at, folder), notes: [] } : allFiles(at, PICTURES))),
  );
  return { data, places, files: all.flatMap(({ files }) => files), notes: all.flatMap(({ notes }) => notes) };
}

function isYaml(source: string): boolean {
  return /\.ya?ml$/i.test(source);
}

function isList(source: string): boolean {
  return path.extname(source) === '.txt';
}

async function yoloData(file: string): Promise<YoloData> {
  let content: unknown;
  try {
    const text = await readUtf8(file);
    refuseExcess(text, file);
    content = parse(text);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: not usable YAML: ${firstLine(error)}`, 'Correct it.', { cause: error });
  }
  return checkedContent(dataSchema, content, file, 'Use a data.yaml of YOLO: with the keys train, val and names.');
}

/** Names of the classes in the order of their numbers. */
function namesIn({ names, nc }: YoloData, file: string): readonly string[] {
  const list = Array.isArray(names) ? names : Object.keys(names).map((_, i) => names[i]);
  const gap = list.indexOf(undefined);
  if (gap !== -1)
    throw new UserError(`${file}: names: no name for class ${gap} of ${list.length}`, 'Number the classes from 0.');
  if (nc !== undefined && nc !== null && nc !== list.length)
    throw new UserError(`${file}: nc: there are ${nc} classes, and ${list.length} names`, 'Name every class once.');
  return list as readonly string[];
}

/** Lines of a file of class names in the folder of this file of boxes, or in one of the two folders above. */
async function namesNear(labels: string): Promise<readonly string[] | undefined> {
  const folder = path.dirname(labels);
  for (const up of ['.', '..', '../..'])
    for (const name of NAMES) {
      const file = path.join(folder, up, name);
      if (await exists(file))
        return (await readUtf8(file))
          .split(/\r?\n/)
          .map((line) => line.trim())
          .filter((line) => line !== '');
    }
  return undefined;
}

/** Folders and lists of a split. `UserError` for a place where nothing is, or outside of the folder of the file. */
async function placesOf(data: YoloData, file: string, key: (typeof KEYS)[keyof typeof KEYS]): Promise<string[]> {
  const places = data[key] ?? [];
  if (places.length === 0)
    throw new UserError(
      `${file}: ${key}: expected the place of its pictures, received none`,
      'Add it to the file, or name other files in the recipe.',
    );
  const folder = path.dirname(file);
  return Promise.all(
    [places].flat().map(async (name) => {
      // Some programs write a path as from a folder below that of the file.
      const found = [[data.path ?? '.', name], [name], [name.replace(/^(\.\.\/)+/, '')]].map((parts) =>
        path.resolve(folder, ...parts),
      );
      for (const at of found) {
        if (!(await exists(at))) continue;
        if (await isNamedIn(folder, at)) return at;
        throw new UserError(
          `${file}: ${key}: ${shown(name)} leads out of the folder of the file, to ${at}`,
          'Move the file into the folder that holds the pictures; or name the place itself in the recipe, and the classes in the order of their numbers as `classes`.',
        );
      }
      throw new UserError(
        `${file}: ${key}: no folder or list ${shown(name)}, neither ${[...new Set(found)].join(' nor ')}`,
        'Correct it, or `path`, which starts at the folder of the file.',
      );
    }),
  );
}

/**
 * Pictures of a list, whose paths start at the folder of the list, or at the one above under any name: CVAT's begin with `data/`. `UserError` for a
 * picture outside of `folder`, that of the data.
 */
async function listed(list: string, folder: string): Promise<string[]> {
  const lineOf = new Map<string, number>();
  for (const [i, line] of (await readUtf8(list)).split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const near = (name: string): string => path.resolve(path.dirname(list), name);
    const below = near(line.trim().replace(/^[^/]+\//, ''));
    const file = !(await exists(near(line.trim()))) && (await exists(below)) ? below : near(line.trim());
    const where = `${list}:${i + 1}`;
    if (lineOf.has(file))
      throw new UserError(`${where}: ${file} is in line ${lineOf.get(file)!} too`, 'List every picture once.');
    if (!(await exists(file)))
      throw new UserError(`${where}: no picture ${file}`, 'Paths start at the folder of the list.');
    if (!(await isNamedIn(folder, file)))
      throw new UserError(
        `${where}: ${shown(line.trim())} leads out of ${folder}`,
        'Put the list into the folder that holds the pictures.',
      );
    lineOf.set(file, i + 1);
  }
  if (lineOf.size === 0) throw new UserError(`${list}: the list names no picture`, 'Name another list.');
  return [...lineOf.keys()];
}

/** File of the boxes of a picture: in `labels` in place of the last `images` of its path, or beside it. */
export function labelFile(picture: string): string {
  const { dir, name } = path.parse(picture);
  const folders = dir.split(path.sep);
  const at = folders.lastIndexOf('images');
  return path.join(at === -1 ? dir : folders.with(at, 'labels').join(path.sep), `${name}.txt`);
}

/** Boxes of a file; undefined if there is none. */
async function boxesIn(file: string, names: readonly string[]): Promise<AnnotatedBox[] | undefined> {
  if (!(await exists(file))) return undefined;
  const lines = (await readUtf8(file)).split(/\r?\n/);
  return lines.flatMap((line, i) => (line.trim() === '' ? [] : [boxIn(line.trim(), `${file}:${i + 1}`, names)]));
}

function boxIn(line: string, where: string, names: readonly string[]): AnnotatedBox {
  const words = line.split(/\s+/);
  const values = words.map(Number);
  if (words.length !== 5)
    throw new UserError(
      `${where}: expected a box of five numbers, class cx cy width height, received ${words.length}: ${shown(line)}`,
      'Polygons, key points and boxes with a score are not read: export the labels as boxes.',
    );
  const bad = words.find((_, i) => !Number.isFinite(values[i]));
  if (bad !== undefined) throw new UserError(`${where}: ${shown(bad)} is no number`, 'Write class cx cy width height.');
  const [label, cx, cy, width, height] = values as [number, number, number, number, number];
  if (!(label in names))
    throw new UserError(
      `${where}: the class is ${words[0]!}, and there are the classes 0 … ${names.length - 1}`,
      'Name all classes in the order of their numbers, or correct the class.',
    );
  const corners = { xmin: cx - width / 2, ymin: cy - height / 2, xmax: cx + width / 2, ymax: cy + height / 2 };
  return { label, ...corners, isIgnored: false, where };
}

function noBoxes(source: string, missing: string): UserError {
  return new UserError(
    `${source}: none of its pictures has a file of boxes; the first such file would be ${missing}`,
    'Put the text files of boxes into a folder `labels` beside the folder `images`, or name a folder without boxes as `unlabelled`.',
  );
}

/** Notes on files of boxes without a picture. */
async function unused(labelFiles: readonly string[]): Promise<string[]> {
  const known = new Set(labelFiles);
  const folders = [...new Set(labelFiles.map((file) => path.dirname(file)))];
  const all = await Promise.all(
    folders.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => path.join(folder, name))),
  );
  const left = all.flat().filter((file) => isList(file) && !known.has(file) && !OTHERS.has(path.basename(file)));
  return left.length === 0
    ? []
    : [`${left.length} files of boxes have no picture and are not read, such as ${left[0]!}`];
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'yolo' }>> = {
  shares: 'decoded',
  read: (source, options) => readYolo(source, options, options),
};

export const start: SampleStart = async (place) => ({ withBoxes: (await yoloPictures(place, 'train')).files });
