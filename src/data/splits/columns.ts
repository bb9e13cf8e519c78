import { shown, UserError } from '../../base/errors.ts';
import { sharedFloats } from '../dataset.ts';
import type { Column, Normalization, RawSplit } from '../dataset.ts';
import { compareNames } from './label-names.ts';

/** Maximum words of a categorical column: more are mostly names or numbers of single rows, which no model can learn from. */
const MOST_WORDS = 1000;

/** The columns of train with their words. `UserError` for a column of too many. */
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

/** The columns with what stands for a missing value: a number of each, by default 0, and none of its words. */
export function withMissing(columns: readonly Column[], filled?: ArrayLike<number>): readonly Column[] {
  let at = 0;
  return columns.map((column) => {
    const missing = column.words === undefined ? (filled?.[at] ?? 0) : 0;
    at += column.words?.length ?? 1;
    return { ...column, missing };
  });
}

/** Number in place of a missing value, for each number of a row; undefined where a value must be there. */
export function missingNumbers(columns: readonly Column[]): (number | undefined)[] {
  return columns.flatMap(({ words, missing }) => (words === undefined ? [missing] : words.map(() => undefined)));
}

/** True if columns have real names: without a header, and for lists of numbers, names are only indexes. */
export function areNamed(columns: readonly Column[]): boolean {
  return columns.some(({ name, words }) => words !== undefined || !/^\d+$|\[\d+\]$/.test(name));
}

/** Name of each number of a row, such as `age`, `city=Paris`. */
export function numberNames(columns: readonly Column[]): string[] {
  return columns.flatMap(({ name, words }) => (words === undefined ? [name] : words.map((word) => `${name}=${word}`)));
}

/** One-hot encodes the categorical columns of a split by the words in `columns`. */
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
    const ownWords = words.find((one) => one.column === at)!;
    const places = ownWords.names.map((word) => column.words!.indexOf(word));
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
        `${name}: ${unknown} of ${count} rows have a word in the column ${column.name} that train does not have, the first ${shown(ownWords.names[first])} at ${ownWords.firstAt[first]!}: models see none of the known words there`,
      );
    from += column.words.length;
  });
  return {
    ...raw,
    ...{ samples: out, sampleShape: [names.length], words: undefined },
    notes: [...(raw.notes ?? []), ...notes],
  };
}

/** One-hot numbers are not normalized: divided by its deviation, a rare word would outweigh all other features. */
export function plainWords(normalization: Normalization, columns: readonly Column[]): Normalization {
  const isWord = columns.flatMap(({ words }) => (words === undefined ? [false] : words.map(() => true)));
  return {
    ...normalization,
    mean: normalization.mean.map((value, i) => (isWord[i]! ? 0 : value)),
    std: normalization.std.map((value, i) => (isWord[i]! ? 1 : value)),
  };
}

const DATE = /^\s*(\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4})\s*$/;

/** `UserError` for a date, which is neither a useful word nor a number with an agreed meaning. */
export function refuseDate(value: unknown, column: string, where: () => string): void {
  if (!(value instanceof Date) && !(typeof value === 'string' && DATE.test(value))) return;
  throw new UserError(
    `${where()}: column ${shown(column)}: expected a number or a word, received the date ${value instanceof Date ? value.toISOString() : value}`,
    'Write its relevant parts as columns, such as days since a date, month and weekday, or leave the column out.',
  );
}
