import path from 'node:path';
import { exists, openToRead } from '../../../base/files.ts';
import { SPLIT_WORDS, VALIDATION } from '../../readers/guess.ts';
import type { DataGuess, SeenData } from '../../readers/guess.ts';
import { PICTURES } from '../../readers/image-folder.ts';
import { folderNames } from '../../readers/mask-files.ts';

/** Number of initial bytes of a JSON file by which its kind is recognized. */
const COCO = 2 ** 20;

export const guess: DataGuess = {
  inFolder: (place, inside) => inFolder(place, inside, 'coco'),
  keyPoints: (place, inside) => inFolder(place, inside, 'points'),
  besideData: async (file) =>
    path.extname(file).toLowerCase() === '.json' && (await isCoco(file))
      ? 'is an annotation file of COCO: the folder of its pictures is the training data'
      : undefined,
};

async function inFolder(
  place: string,
  inside: readonly string[],
  type: 'coco' | 'points',
): Promise<SeenData | undefined> {
  const split = (words: readonly string[]) => cocoSplit(place, inside, words, type);
  const train = (await split(SPLIT_WORDS.train)) ?? (await split(['']));
  if (train === undefined) return undefined;
  let test;
  for (const word of SPLIT_WORDS.test) test ??= await split([word]);
  const what = type === 'points' ? 'key points' : 'annotations';
  const why = `${path.join(path.basename(place), train.labels)} has ${what} in COCO's format`;
  const tested = test?.labels === train.labels ? undefined : test;
  const both = tested && { test: tested.images, testLabels: tested.labels };
  const chosen = tested && (await split(VALIDATION));
  const isThird = chosen && ![train.labels, tested?.labels].includes(chosen.labels);
  const third = isThird && { validation: chosen.images, validationLabels: chosen.labels };
  return { type, why, notes: [], splits: { train: train.images, labels: train.labels, ...both, ...third } };
}

/** File of annotations and folder of pictures of a split with such a word in its name, relative to the place. */
async function cocoSplit(place: string, inside: readonly string[], words: readonly string[], type: 'coco' | 'points') {
  const isNamed = (name: string): boolean => words.some((word) => name.toLowerCase().includes(word));
  const folders = ['annotations', '', ...inside.filter((name) => path.extname(name) === '' && name !== 'annotations')];
  for (const folder of folders) {
    const names = folder === '' ? inside : await folderNames(path.join(place, folder)).catch(() => []);
    const files = names.filter((name) => name.endsWith('.json') && isNamed(path.join(folder, name)));
    files.sort((a, b) => Number(b.startsWith('instances')) - Number(a.startsWith('instances')));
    for (const name of files) {
      const labels = path.join(folder, name);
      const other = type === 'points' ? /caption|panoptic|stuff/i : /caption|keypoint|panoptic|stuff/i;
      if (other.test(name) || !(await isCoco(path.join(place, labels)))) continue;
      if (
        type === 'points' &&
        !/keypoint/i.test(name) &&
        !(await beginning(path.join(place, labels))).includes('"keypoints"')
      )
        continue;
      // In official data, instances_train2017.json annotates train2017.
      const called = inside.filter((one) => path.extname(one) === '' && one !== 'annotations' && name.includes(one));
      const named = called.sort((a, b) => b.length - a.length).flatMap((one) => [path.join(one, 'images'), one]);
      // CVAT's instances_default.json annotates images/default.
      const subset = path.parse(name).name.replace(/^(instances|person_keypoints)_/, '');
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
async function isCoco(file: string): Promise<boolean> {
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
