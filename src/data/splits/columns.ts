import { shown, UserError } from '../../base/errors.ts';
import { hasHour, numbersOfDate, partsOfDates } from '../dates.ts';
import { sharedFloats } from '../dataset.ts';
import type { Column, Normalization, RawSplit } from '../dataset.ts';
import { compareNames } from './label-names.ts';

/** Maximum words of a categorical column: more are mostly names or numbers of single rows, which no model can learn from. */
const MOST_WORDS = 1000;

/** The columns of train with their words and the parts of their dates. `UserError` for a column of too many words. */
export function columnsOf({ source, columns = [], words = [], dates = [] }: RawSplit): readonly Column[] {
  return columns.map((name, at) => {
    const times = dates.find(({ column }) => column === at)?.times;
    if (times !== undefined) return { name, date: partsOfDates(times) };
    const found = words.find(({ column }) => column === at);
    if (found === undefined) return { name };
    if (found.names.length <= MOST_WORDS) return { name, words: [...found.names].sort(compareNames) };
    throw new UserError(
      `${source}: the column ${shown(name)} has ${found.names.length} different words, e.g. ${shown(found.names[0])}; expected ${MOST_WORDS} at most`,
      'Leave it out if it names or numbers the rows, or write fewer, coarser words.',
    );
  });
}

/** Count of numbers that stand for a column in a row. */
export function widthOf({ words, date }: Pick<Column, 'words' | 'date'>): number {
  return (words ?? date)?.length ?? 1;
}

/** The columns with what stands for a missing value: a number of each, or of each part of a date, by default 0, and none of its words. */
export function withMissing(columns: readonly Column[], filled?: ArrayLike<number>): readonly Column[] {
  let at = 0;
  return columns.map((column) => {
    const from = at;
    at += widthOf(column);
    if (column.date !== undefined) return { ...column, missing: column.date.map((_, i) => filled?.[from + i] ?? 0) };
    return { ...column, missing: column.words === undefined ? (filled?.[from] ?? 0) : 0 };
  });
}

/** Number in place of a missing value, for each number of a row; undefined where a value must be there. */
export function missingNumbers(columns: readonly Column[]): (number | undefined)[] {
  return columns.flatMap(({ words, date, missing }) => {
    const numbers = [missing].flat();
    return words?.map(() => undefined) ?? date?.map((_, i) => numbers[i]) ?? numbers;
  });
}

/** True if columns have real names: without a header, and for lists of numbers, names are only indexes. */
export function areNamed(columns: readonly Column[]): boolean {
  return columns.some(({ name, words, date }) => (words ?? date) !== undefined || !/^\d+$|\[\d+\]$/.test(name));
}

/** Name of each number of a row, such as `age`, `city=Paris`, `signup.month`. */
export function numberNames(columns: readonly Column[]): string[] {
  return columns.flatMap(
    ({ name, words, date }) =>
      words?.map((word) => `${name}=${word}`) ?? date?.map((part) => `${name}.${part}`) ?? [name],
  );
}

/**
 * One-hot encodes the categorical columns of a split by the words in `columns`, and cuts dates into their parts. `UserError` for dates in a column
 * that has none in train, and for the reverse.
 */
export function encoded(raw: RawSplit, columns: readonly Column[], name: string): RawSplit {
  const { words = [], dates = [], samples } = raw;
  const width = columns.length;
  const count = samples.length / width;
  const names = numberNames(columns);
  const out = sharedFloats(count * names.length);
  const notes: string[] = [];
  let from = 0;
  columns.forEach((column, at) => {
    const times = dates.find((one) => one.column === at)?.times;
    if ((times === undefined) !== (column.date === undefined)) throw otherKind(raw, column);
    if (column.date !== undefined) {
      for (let row = 0; row < count; row++) {
        const numbers = Number.isNaN(times![row]) ? undefined : numbersOfDate(times![row]!, column.date);
        const missing = samples[row * width + at]!;
        for (let i = 0; i < column.date.length; i++) out[row * names.length + from + i] = numbers?.[i] ?? missing;
      }
      const unseen = column.date.includes('hour') ? 0 : times!.filter(hasHour).length;
      if (unseen > 0)
        notes.push(
          `${name}: ${unseen} of ${count} rows have a time of day in the column ${column.name}, in which train has days alone: models see the day alone`,
        );
      from += column.date.length;
      return;
    }
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
    samples: out,
    sampleShape: [names.length],
    words: undefined,
    dates: undefined,
    notes: [...(raw.notes ?? []), ...notes],
  };
}

/** One-hot numbers are not normalized: divided by its deviation, a rare word would outweigh all other features. */
export function plainWords(normalization: Normalization, columns: readonly Column[]): Normalization {
  const isWord = columns.flatMap((column) => Array<boolean>(widthOf(column)).fill(column.words !== undefined));
  return {
    ...normalization,
    mean: normalization.mean.map((value, i) => (isWord[i]! ? 0 : value)),
    std: normalization.std.map((value, i) => (isWord[i]! ? 1 : value)),
  };
}

function otherKind({ source }: RawSplit, { name, date }: Column): UserError {
  const [here, train] = date === undefined ? ['dates', 'none'] : ['no date', 'dates'];
  return new UserError(
    `${source}: the column ${shown(name)} has ${here}, and ${train} in train`,
    'Write the column in the same way in all splits, or leave it out.',
  );
}

/** Dates as people write them, ISO 8601 among them. */
export const DATE_OF_ANY_FORM = /^\s*(\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4})\s*$/;

const OTHER_FORM: readonly [string, string] = [
  'a number, or a date of ISO 8601',
  'Write all dates of the column as 2024-01-31 or 2024-01-31T10:30:00Z, or leave the column out.',
];

/** `UserError` for a date that cannot be read, by default for its form: the order of day and month is open. */
export function refuseDate(
  value: unknown,
  column: string,
  where: () => string,
  [expected, remedy]: readonly [expected: string, remedy: string] = OTHER_FORM,
): void {
  if (!(value instanceof Date) && !(typeof value === 'string' && DATE_OF_ANY_FORM.test(value))) return;
  const text = value instanceof Date ? (Number.isNaN(value.getTime()) ? 'none' : value.toISOString()) : value.trim();
  throw new UserError(`${where()}: column ${shown(column)}: expected ${expected}, received the date ${text}`, remedy);
}
