import path from 'node:path';
import { exists, openToRead, readUtf8 } from '../../base/files.ts';
import { PICTURES } from '../../data/readers/image-folder.ts';
import { isVocLayout, vocImages } from '../../data/formats/voc/voc.ts';
import { folderNames, vocLists } from '../../data/readers/mask-files.ts';
import type { SeenData } from './seen.ts';

/** Number of initial bytes of a JSON file by which its kind is recognized. */
const COCO = 2 ** 20;
/** Names in a folder of YOLO's format without a data.yaml, the first of which names the pictures: of Label Studio, and of Darknet as CVAT writes it. */
const FOLDERS_OF_YOLO = [
  ['images', 'labels', 'classes.txt'],
  ['train.txt', 'obj.names'],
] as const;
/** Words for the splits in names, the likeliest first; a test split without annotations is passed over for that of validation. */
const VALIDATION = ['val', 'valid', 'validation'];
const WORDS = { train: ['train', 'training'], test: ['test', 'testing', ...VALIDATION] };

/** Data with boxes in a folder, with their splits; `inside`: its names. Undefined if there are none in a layout that is read. */
export async function seenBoxes(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  return (await yoloIn(place, inside)) ?? (await vocIn(place, inside)) ?? (await cocoIn(place, inside));
}

/** A data.yaml, under any name, or pictures and boxes with a file of class names. */
async function yoloIn(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  for (const name of inside.filter((one) => /\.ya?ml$/i.test(one))) {
    const text = await readUtf8(path.join(place, name)).catch(() => '');
    if (!isYoloText(text)) continue;
    const why = `${path.join(path.basename(place), name)} has the keys train and names`;
    return { type: 'yolo', why, notes: [], splits: yoloSplits(text, name) };
  }
  for (const names of FOLDERS_OF_YOLO)
    if (names.every((name) => inside.includes(name))) {
      const why = `${path.basename(place)} holds ${names.join(' and ')}`;
      return { type: 'yolo', why, notes: [], splits: { train: names[0] } };
    }
  return undefined;
}

/** Splits of a data.yaml with this text, all of which its name stands for. Validation by the pictures of train chooses nothing. */
export function yoloSplits(text: string, name: string): NonNullable<SeenData['splits']> {
  const isValidated = valueOf(text, 'val') !== undefined && valueOf(text, 'val') !== valueOf(text, 'train');
  return {
    train: name,
    ...(isValidated && { validation: name }),
    ...(valueOf(text, 'test') !== undefined && { test: name }),
  };
}

/** True for a data.yaml of YOLO, under any name. */
export async function isYolo(file: string): Promise<boolean> {
  return isYoloText(await readUtf8(file).catch(() => ''));
}

function isYoloText(text: string): boolean {
  return valueOf(text, 'train') !== undefined && /^names\s*:/m.test(text);
}

/** First line of a key's value, where it begins on the line of the key. */
function valueOf(text: string, key: string): string | undefined {
  return new RegExp(`^${key}\\s*:[ \\t]*([^#\\s][^#\\r\\n]*)`, 'm').exec(text)?.[1]!.trim();
}

async function vocIn(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  const [train, test] = await Promise.all([splitFolder(place, inside, 'train'), splitFolder(place, inside, 'test')]);
  const isWhole = isVocLayout(inside);
  const parts = [train, test].filter((one) => one !== undefined && isVocLayout(one.names));
  if (!isWhole && parts.length === 0) return undefined;
  const lists = isWhole ? await vocLists(place, inside, 'Main') : [];
  const listOf = (name: string): string | undefined => lists.find((list) => path.basename(list) === name);
  const only = lists.length === 1 ? lists[0] : undefined;
  const [first, second] = isWhole ? [listOf('train.txt') ?? listOf('trainval.txt') ?? only, listOf('test.txt') ?? listOf('val.txt')] : parts.map((one) => one!.name); // prettier-ignore
  const { root, names } = isWhole ? { root: place, names: inside } : { ...parts[0]!, root: path.join(place, parts[0]!.name) }; // prettier-ignore
  const why = `${path.relative(path.dirname(place), root)} holds ${vocImages(names)!} and Annotations`;
  return { type: 'voc', why, notes: [], ...(first && { splits: { train: first, ...(second && { test: second }) } }) };
}

async function splitFolder(place: string, inside: readonly string[], split: keyof typeof WORDS) {
  const name = inside.find((one) => WORDS[split].includes(one.toLowerCase()));
  const names = name === undefined ? [] : await folderNames(path.join(place, name)).catch(() => []);
  return name === undefined ? undefined : { name, names };
}

async function cocoIn(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  const train = (await cocoSplit(place, inside, WORDS.train)) ?? (await cocoSplit(place, inside, ['']));
  if (train === undefined) return undefined;
  let test;
  for (const word of WORDS.test) test ??= await cocoSplit(place, inside, [word]);
  const why = `${path.join(path.basename(place), train.labels)} has annotations in COCO's format`;
  const tested = test?.labels === train.labels ? undefined : test;
  const both = tested && { test: tested.images, testLabels: tested.labels };
  const chosen = tested && (await cocoSplit(place, inside, VALIDATION));
  const isThird = chosen && ![train.labels, tested?.labels].includes(chosen.labels);
  const third = isThird && { validation: chosen.images, validationLabels: chosen.labels };
  return { type: 'coco', why, notes: [], splits: { train: train.images, labels: train.labels, ...both, ...third } };
}

/** File of annotations and folder of pictures of a split with such a word in its name, relative to the place. */
async function cocoSplit(place: string, inside: readonly string[], words: readonly string[]) {
  const isNamed = (name: string): boolean => words.some((word) => name.toLowerCase().includes(word));
  const folders = ['annotations', '', ...inside.filter((name) => path.extname(name) === '' && name !== 'annotations')];
  for (const folder of folders) {
    const names = folder === '' ? inside : await folderNames(path.join(place, folder)).catch(() => []);
    const files = names.filter((name) => name.endsWith('.json') && isNamed(path.join(folder, name)));
    files.sort((a, b) => Number(b.startsWith('instances')) - Number(a.startsWith('instances')));
    for (const name of files) {
      const labels = path.join(folder, name);
      if (/caption|keypoint|panoptic|stuff/i.test(name) || !(await isCoco(path.join(place, labels)))) continue;
      // In official data, instances_train2017.json annotates train2017.
      const called = inside.filter((one) => path.extname(one) === '' && one !== 'annotations' && name.includes(one));
      const named = called.sort((a, b) => b.length - a.length).flatMap((one) => [path.join(one, 'images'), one]);
      // CVAT's instances_default.json annotates images/default.
      const subset = path.parse(name).name.replace(/^instances_/, '');
      const near = [
        ...named,
        path.join(folder, 'images'),
        folder,
        ...[...words, subset].map((word) => path.join('images', word)),
        'images',
      ];
      const first = await firstPicture(path.join(place, labels));
      for (const images of near)
        if (first && (await exists(path.join(place, images, first)))) return { images: images || '.', labels };
      for (const images of near)
        if (await holdsPictures(path.join(place, images))) return { images: images || '.', labels };
    }
  }
  return undefined;
}

async function holdsPictures(folder: string): Promise<boolean> {
  if (!(await exists(folder))) return false;
  const names = await folderNames(folder).catch(() => []);
  return names.some((name) => PICTURES.extensions.has(path.extname(name).toLowerCase()));
}

/** True for a JSON file with COCO's lists in one object, rather than a line for each sample. */
export async function isCoco(file: string): Promise<boolean> {
  const text = await beginning(file);
  return (
    /^\s*\{\s*"(info|licenses|images|annotations|categories)"\s*:\s*[[{]/.test(text) &&
    ['"file_name"', '"bbox"', '"annotations"'].some((key) => text.includes(key))
  );
}

/** Name of the first picture of a file in COCO's format, if it stands in its first bytes. */
async function firstPicture(file: string): Promise<string | undefined> {
  const quoted = /"file_name"\s*:\s*("(?:[^"\\]|\\.)+")/.exec(await beginning(file))?.[1];
  try {
    return quoted === undefined ? undefined : (JSON.parse(quoted) as string);
  } catch {
    // A damaged name, which the reader refuses with its place.
    return undefined;
  }
}

async function beginning(file: string): Promise<string> {
  const handle = await openToRead(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(COCO), 0, COCO, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
