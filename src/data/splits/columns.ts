import { shown, UserError } from '../../base/errors.ts';
import { sharedFloats } from '../dataset.ts';
import type { Column, Normalization, RawSplit } from '../dataset.ts';
import { compareNames } from './label-names.ts';

/** Most words of a column: more are mostly names or numbers of single rows, which no model can learn from. */
const MOST_WORDS = 1000;

/** The columns of train, with all words that it has. `UserError` for a column of too many. */
export function columnsOf({ source, columns = [], words = [] }: RawSplit): readonly Column[] {
  return columns.map((name, at) => {
    const found = words.find(({ column }) => column === at);
    if (found === undefined) return { name };
    if (found.names.length <= MOST_WORDS) return { name, words: [...found.names].sort(compareNames) };
    throw new UserError(
      `${source}: the column ${shown(name)} has ${found.names.length} different words, e.g. ${shown(found.names[0])}; expected ${MOST_WORDS} at most`,
      'Leave it out if it names or numbers the rows, or write fewer, coarser words.',
    );
  });
}

/** True if columns have names of their own: those of a file without a header, and of the numbers of a list, only say their place. */
export function areNamed(columns: readonly Column[]): boolean {
  return columns.some(({ name, words }) => words !== undefined || !/^\d+$|\[\d+\]$/.test(name));
}

/** Name of each number of a row, e.g. `age`, `city=Paris`. */
export function numberNames(columns: readonly Column[]): string[] {
  return columns.flatMap(({ name, words }) => (words === undefined ? [name] : words.map((word) => `${name}=${word}`)));
}

/** A split with a number of 0 and 1 for each word of `columns` in place of its columns of words, and what it has besides. */
export function encoded(raw: RawSplit, columns: readonly Column[], name: string): RawSplit {
  const { words = [], samples } = raw;
  const width = columns.length;
  const count = samples.length / width;
  const names = numberNames(columns);
  const out = sharedFloats(count * names.length);
  const notes: string[] = [];
  let from = 0;
  columns.forEach((column, at) => {
    if (column.words === undefined) {
      for (let row = 0; row < count; row++) out[row * names.length + from] = samples[row * width + at]!;
      from += 1;
      return;
    }
    const own = words.find((one) => one.column === at)!;
    const places = own.names.map((word) => column.words!.indexOf(word));
    let unknown = 0;
    for (let row = 0; row < count; row++) {
      const code = samples[row * width + at]!;
      const place = code < 0 ? undefined : places[code]!;
      if (place === -1) unknown++;
      else if (place !== undefined) out[row * names.length + from + place] = 1;
    }
    const first = places.indexOf(-1);
    if (unknown > 0)
      notes.push(
        `${name}: ${unknown} of ${count} rows have a word in the column ${column.name} that train does not have, the first ${shown(own.names[first])} at ${own.firstAt[first]!}: models see none of the known words there`,
      );
    from += column.words.length;
  });
  return {
    ...raw,
    ...{ samples: out, sampleShape: [names.length], words: undefined },
    notes: [...(raw.notes ?? []), ...notes],
  };
}

/** Numbers of words stay 0 and 1: divided by its deviation a rare word would be larger than all else. */
export function plainWords(normalization: Normalization, columns: readonly Column[]): Normalization {
  const isWord = columns.flatMap(({ words }) => (words === undefined ? [false] : words.map(() => true)));
  return {
    ...normalization,
    mean: normalization.mean.map((value, i) => (isWord[i]! ? 0 : value)),
    std: normalization.std.map((value, i) => (isWord[i]! ? 1 : value)),
  };
}

const DATE = /^\s*(\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4})\s*$/;

/** `UserError` for a date: as a word each would stand for itself alone, and as a number it has no meaning that is agreed on. */
export function refuseDate(value: unknown, column: string, where: () => string): void {
  if (!(value instanceof Date) && !(typeof value === 'string' && DATE.test(value))) return;
  throw new UserError(
    `${where()}: column ${shown(column)}: expected a number or a word, received the date ${value instanceof Date ? value.toISOString() : value}`,
    'Write what matters of it as columns of their own, such as days since a day, month and weekday, or leave the column out.',
  );
}
