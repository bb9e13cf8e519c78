import path from 'node:path';
import { SPLIT_WORDS } from '../../readers/guess.ts';
import type { DataGuess, SeenData } from '../../readers/guess.ts';
import { folderNames, vocLists } from '../../readers/mask-files.ts';
import { isVocLayout, vocImages } from './voc.ts';

async function inFolder(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  const [train, test] = await Promise.all([splitFolder(place, inside, 'train'), splitFolder(place, inside, 'test')]);
  const isWhole = isVocLayout(inside);
  const parts = [train, test].filter((one) => one !== undefined && isVocLayout(one.names));
  if (!isWhole && parts.length === 0) return undefined;
  const lists = isWhole ? await vocLists(place, inside, 'Main') : [];
  const listOf = (name: string): string | undefined => lists.find((list) => path.basename(list) === name);
  const only = lists.length === 1 ? lists[0] : undefined;
  const [first, second] = isWhole
    ? [listOf('train.txt') ?? listOf('trainval.txt') ?? only, listOf('test.txt') ?? listOf('val.txt')]
    : parts.map((one) => one!.name);
  const { root, names } = isWhole
    ? { root: place, names: inside }
    : { ...parts[0]!, root: path.join(place, parts[0]!.name) };
  const why = `${path.relative(path.dirname(place), root)} holds ${vocImages(names)!} and Annotations`;
  return { type: 'voc', why, notes: [], ...(first && { splits: { train: first, ...(second && { test: second }) } }) };
}

async function splitFolder(place: string, inside: readonly string[], split: keyof typeof SPLIT_WORDS) {
  const name = inside.find((one) => SPLIT_WORDS[split].includes(one.toLowerCase()));
  const names = name === undefined ? [] : await folderNames(path.join(place, name)).catch(() => []);
  return name === undefined ? undefined : { name, names };
}

export const guess: DataGuess = { inFolder };
