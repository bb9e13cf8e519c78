import path from 'node:path';
import { readUtf8 } from '../../../base/files.ts';
import type { DataGuess, SeenData } from '../../readers/guess.ts';

/** Names in a folder of YOLO's format without a data.yaml, the first of which names the pictures: of Label Studio, and of Darknet as CVAT writes it. */
const FOLDERS_OF_YOLO = [
  ['images', 'labels', 'classes.txt'],
  ['train.txt', 'obj.names'],
] as const;

/** A data.yaml, under any name, or pictures and boxes with a file of class names. */
async function inFolder(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
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
function yoloSplits(text: string, name: string): NonNullable<SeenData['splits']> {
  const isValidated = valueOf(text, 'val') !== undefined && valueOf(text, 'val') !== valueOf(text, 'train');
  return {
    train: name,
    ...(isValidated && { validation: name }),
    ...(valueOf(text, 'test') !== undefined && { test: name }),
  };
}

function isYoloText(text: string): boolean {
  return valueOf(text, 'train') !== undefined && /^names\s*:/m.test(text);
}

/** First line of a key's value, where it begins on the line of the key. */
function valueOf(text: string, key: string): string | undefined {
  return new RegExp(`^${key}\\s*:[ \\t]*([^#\\s][^#\\r\\n]*)`, 'm').exec(text)?.[1]!.trim();
}

export const guess: DataGuess = {
  inFolder,
  file: {
    isOne: async (file) => isYoloText(await readUtf8(file).catch(() => '')),
    splits: async (file) => yoloSplits(await readUtf8(file), path.join('..', path.basename(file))),
  },
};
