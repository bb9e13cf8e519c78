import { UserError, shown } from '../../base/errors.ts';
import type { LabelWords, RawSplit, TargetValues } from '../../data/dataset.ts';
import { checkedNames, compareNames, unknownLabel } from '../../data/splits/label-names.ts';
import type { TargetReader } from '../../data/targets/reader.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';

const SEPARATOR = '|';
const REMEDY = 'A label column holds 1 (true) where a sample has the label, else 0 (false).';
const BITS: ReadonlyMap<string, number> = new Map([
  ['0', 0],
  ['1', 1],
  ['0.0', 0],
  ['1.0', 1],
  ['false', 0],
  ['true', 1],
]);

/** Any number of labels for each sample: a column of 0 and 1 for each label, or one column that lists labels. */
const listed: TargetReader = {
  unread: { classWeights: 'Labels are no classes to weigh; leave it out.' },
  names: (train, { classes, separator }) => {
    const { labels: raw, source } = train;
    if (raw.kind === 'columns') {
      if (classes === undefined) return raw.names;
      throw new UserError(
        `dataset.classes: not read beside several label columns, received ${JSON.stringify(classes)}`,
        'The columns name the labels; leave it out.',
      );
    }
    if (classes !== undefined) return checkedNames(classes);
    if (raw.kind === 'numbers') return Array.from({ length: raw.width }, (_, i) => `label[${i}]`);
    if (raw.kind === 'index') throw classIndexes(source);
    return listedNames(raw, source, separator);
  },
  unlabelledNames: ({ classes }, listed) => classes ?? listed,
  named: 'the labels',
  none: () => new Int32Array(0),
  values: (split, names, { separator }) => {
    const { labels: raw, source } = split;
    if (raw.kind === 'index') throw classIndexes(source);
    if (raw.kind === 'numbers') return fromNumbers(split, raw, names);
    return raw.kind === 'columns' ? fromColumns(raw.columns, source, names) : fromLists(raw, names, separator);
  },
  width: (names) => names.length,
  // Splits are drawn without strata.
  strata: (values) => new Int32Array(values.length),
  oddities: (split, values, names) => constants(split, values, names),
};

/** The distinct labels that a column lists, sorted. */
function listedNames(words: LabelWords, source: string, separator?: string): string[] {
  const names = [...new Set(words.names.flatMap((text) => listOf(text, separator)))];
  if (names.length < 2 || names.every((name) => BITS.has(name.toLowerCase()))) {
    throw new UserError(
      `${source}: the only label column lists ${names.map((name) => shown(name)).join(' and ') || 'nothing'}, expected the names of at least 2 labels`,
      'Name a label column for each label, or name the labels as `classes`; one label that a sample has or not is two classes: `task: classification`.',
    );
  }
  return names.sort(compareNames);
}

/** The labels in a text; an empty text means a sample without any. */
function listOf(text: string, separator = SEPARATOR): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function fromLists(words: LabelWords, names: readonly string[], separator?: string): Int32Array {
  const index = new Map(names.map((name, i) => [name, i]));
  const known = words.names.map((text, i) =>
    listOf(text, separator).map((name) => {
      const at = index.get(name);
      if (at === undefined) throw unknownLabel(name, words.firstAt[i]!, names);
      return at;
    }),
  );
  const out = new Int32Array(words.values.length * names.length);
  words.values.forEach((word, row) => {
    for (const c of known[word]!) out[row * names.length + c] = 1;
  });
  return out;
}

function fromColumns(columns: readonly LabelWords[], source: string, names: readonly string[]): Int32Array {
  if (columns.length !== names.length) throw otherWidth(source, columns.length, names);
  const width = names.length;
  const out = new Int32Array(columns[0]!.values.length * width);
  columns.forEach(({ names: texts, values, firstAt }, c) => {
    const bits = texts.map((text, i) => {
      const bit = BITS.get(text.trim().toLowerCase());
      if (bit === undefined) throw noBit(firstAt[i]!, names[c]!, shown(text));
      return bit;
    });
    values.forEach((value, row) => (out[row * width + c] = bits[value]!));
  });
  return out;
}

function fromNumbers(
  { source, ids }: RawSplit,
  { values, width }: { readonly values: Float32Array | Uint8Array; readonly width: number },
  names: readonly string[],
): Int32Array {
  if (width !== names.length) throw otherWidth(source, width, names);
  const at = values.findIndex((value) => value !== 0 && value !== 1);
  if (at === -1) return Int32Array.from(values);
  const row = Math.floor(at / width);
  throw noBit(`${source}: sample ${ids?.[row] ?? row}`, names[at % width]!, String(values[at]));
}

function noBit(where: string, name: string, received: string): UserError {
  return new UserError(`${where}: the label ${name} is ${received}, expected 0 or 1`, REMEDY);
}

function otherWidth(source: string, received: number, names: readonly string[]): UserError {
  return new UserError(
    `${source}: ${received} ${received === 1 ? 'label' : 'labels'} for each sample, expected ${names.length}: ${names.join(', ')}`,
    'All splits need the same labels, and `classes` a name for each.',
  );
}

function classIndexes(source: string): UserError {
  return new UserError(
    `${source}: its labels are class indexes, one for each sample, which the task multi-label does not read`,
    'Use csv, jsonl or parquet with label columns or a list, or npz with an array [samples, labels] of 0 and 1.',
  );
}

function constants(split: string, values: TargetValues, names: readonly string[]): string[] {
  const width = names.length;
  return names.flatMap((name, c) => {
    for (let i = c; i < values.length; i += width) if (values[i] !== values[c]) return [];
    return [`${split}: ${values[c] === 1 ? 'every' : 'no'} sample has the label ${name}`];
  });
}

export const labels: TargetReaders = { 'multi-label': listed };
