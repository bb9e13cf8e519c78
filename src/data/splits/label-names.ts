import { UserError, nearest, shown } from '../../base/errors.ts';
import type { LabelWords, RawLabels, RawSplit } from '../dataset.ts';
import { growingInts } from '../storage/growing-array.ts';
import { SUPPORTED_LABELS } from '../readers/supported.ts';

/** Collects labels that are words; each distinct word is kept once. */
export class LabelNames {
  readonly #values = growingInts();
  readonly #index = new Map<string, number>();
  readonly #firstAt: string[] = [];
  #noneAt: string | undefined;

  /** `where` is called only for a new name. */
  push(name: string, where: () => string): number {
    let index = this.#index.get(name);
    if (index === undefined) {
      if (name.includes('\uFFFD')) throw notUtf8(name, where());
      index = this.#index.size;
      this.#index.set(name, index);
      this.#firstAt.push(where());
    }
    this.#values.push(index);
    return index;
  }

  /** Adds a sample without a label. */
  pushNone(where: () => string): void {
    this.#noneAt ??= where();
    this.#values.push(-1);
  }

  get distinct(): number {
    return this.#index.size;
  }

  labels(): LabelWords {
    const names = [...this.#index.keys()];
    return { kind: 'name', values: this.#values.view(), names, firstAt: this.#firstAt, noneAt: this.#noneAt };
  }
}

/** A list of labels or numbers as text for one column. `UserError` for an item that contains the separator. */
export function listedText(list: readonly unknown[], separator: string, where: () => string): string {
  const words = list.map((one) => {
    const word = one instanceof Uint8Array ? Buffer.from(one).toString('utf8') : one;
    const isPlain = ['string', 'bigint', 'boolean'].includes(typeof word) || Number.isFinite(word);
    if (!isPlain) throw new UserError(`${where()}: the list of labels holds ${shown(one)}`, SUPPORTED_LABELS);
    return String(word);
  });
  const split = words.find((word) => word.includes(separator));
  if (split === undefined) return words.join(separator);
  throw new UserError(
    `${where()}: the label ${shown(split)} holds ${shown(separator)}, which separates the labels of a list`,
    'Set `separator` to a text that no label holds.',
  );
}

/** Error for a label that is not UTF-8: its invalid bytes would all become U+FFFD, and different classes could become one. */
function notUtf8(name: string, where: string): UserError {
  return new UserError(
    `${where}: the label ${shown(name)} holds bytes that are no UTF-8`,
    'Save the file as UTF-8, or convert it, e.g. with `iconv -f latin1 -t utf-8`.',
  );
}

/**
 * Class names in index order: from the recipe, else from the file, else the distinct labels of train, sorted (numbers by value, words by code unit,
 * so that no locale changes the order of a model's outputs).
 */
export function classNamesOf(train: RawSplit, declared?: readonly string[]): readonly string[] {
  if (declared !== undefined) return checkedNames(declared);
  if (train.classNames !== undefined) return train.classNames;
  const labels = oneClass(train);
  if (labels.kind === 'name')
    return checkedCount([...labels.names].sort(compareNames), labels.values.length, train.source);
  refuseNegative(train, labels.values);
  const highest = labels.values.reduce((max, value) => Math.max(max, value), 0);
  return checkedCount(
    Array.from({ length: Math.min(highest, labels.values.length * 10) + 1 }, (_, i) => String(i)),
    labels.values.length,
    train.source,
  );
}

type ClassLabels = RawLabels & { kind: 'name' | 'index' };

/** Class labels; `UserError` for labels of another kind. */
function oneClass({ labels, source }: RawSplit): ClassLabels {
  if (labels.kind === 'name' || labels.kind === 'index') return labels;
  const received = labels.kind === 'columns' ? `the columns ${labels.names.join(', ')}` : `${labels.width} numbers`;
  throw new UserError(
    `${source}: expected one label column for classes, received ${received}`,
    'Set `task: regression` to predict numbers, or `task: multi-label` for several labels of a sample.',
  );
}

/** Throws a `UserError` for a label below 0: some files write -1 for a missing label, and files for support vector machines for a class. */
function refuseNegative({ source, ids }: RawSplit, values: Int32Array): void {
  const at = values.findIndex((value) => value < 0);
  if (at === -1) return;
  throw new UserError(
    `${source}: sample ${ids?.[at] ?? at}: label ${values[at]!} is out of range, class indexes start at 0`,
    `${SUPPORTED_LABELS} Remove samples without a label, and number the classes from 0.`,
  );
}

export function checkedNames(names: readonly string[]): readonly string[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new UserError(`classes: ${shown(twice)} is named twice`, 'Give every class its own name.');
  }
  return names;
}

/** Number of distinct fractions above which labels are taken for numbers: fewer may be class names, such as sizes. */
const MANY = 6;

/** `UserError` for implausible class counts: measurements taken for labels give nearly as many classes as samples. */
function checkedCount(names: string[], count: number, source: string): string[] {
  if (names.length < 2) {
    throw new UserError(
      `${source}: all ${count} samples have the label ${shown(names[0])}, expected at least 2 classes`,
      'Check which column or file holds the labels.',
    );
  }
  if (names.length > 100 && names.length > count / 2) {
    throw new UserError(
      `${source}: ${names.length} different labels for ${count} samples, e.g. ${shown(names[1])}`,
      `${SUPPORTED_LABELS} Check which column or file holds the labels.`,
    );
  }
  const fractions = names.filter((name) => Number.isFinite(Number(name)) && !Number.isInteger(Number(name)));
  if (fractions.length >= MANY && fractions.length > names.length / 2) {
    throw new UserError(
      `${source}: the labels are ${names.length} different numbers, e.g. ${shown(fractions[0])}`,
      `${SUPPORTED_LABELS} If each of these numbers is a class, list them as \`classes\`.`,
    );
  }
  return names;
}

export function compareNames(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isInteger(x) && Number.isInteger(y) && x !== y) return x - y;
  if (Number.isInteger(x) !== Number.isInteger(y)) return Number.isInteger(x) ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Class index of every sample; `UserError` with the place of a label that is no class. */
export function classIndexes(split: RawSplit, classNames: readonly string[]): Int32Array {
  const labels = oneClass(split);
  if (labels.kind === 'name') return mapped(labels, classNames);
  return checkedIndexes(split, byOwnNames(split, labels.values, classNames), classNames);
}

/**
 * Renames the classes of a split to `classes` of the recipe, by index, if train's file has the split's own names. Names that the recipe lists in
 * another order are not renamed.
 */
export function renamed<S extends RawSplit>(
  split: S,
  own: readonly string[] = [],
  declared: readonly string[] = [],
): S {
  const isRenaming =
    own.length === declared.length &&
    own.some((name) => !declared.includes(name)) &&
    own.every((name, i) => name === declared[i] || !declared.includes(name));
  return isRenaming && split.classNames?.join('\n') === own.join('\n') ? { ...split, classNames: declared } : split;
}

/** Converts indexes into the names of the split's own file to indexes into `classNames`, which may have the names in another order. */
function byOwnNames({ source, ids, classNames: own }: RawSplit, values: Int32Array, classNames: readonly string[]) {
  if (own === undefined || own.every((name, i) => name === classNames[i])) return values;
  const places = own.map((name) => (classNames.includes(name) ? classNames.indexOf(name) : asIndex(name, classNames)));
  return values.map((value, row) => {
    if (places[value] !== undefined) return places[value];
    const where = `${source}: sample ${ids?.[row] ?? row}`;
    if (value in own) throw unknownLabel(own[value]!, where, classNames);
    throw new UserError(
      `${where}: label ${value} is out of range, the file itself names ${own.length} classes`,
      'Correct the label, or the names in the file.',
    );
  });
}

function checkedIndexes(split: RawSplit, values: Int32Array, classNames: readonly string[]): Int32Array {
  const bad = values.findIndex((value) => value < 0 || value >= classNames.length);
  if (bad !== -1) {
    const id = split.ids?.[bad] ?? bad;
    throw new UserError(
      `${split.source}: sample ${id}: label ${values[bad]!} is out of range, expected 0 to ${classNames.length - 1}`,
      `Train has ${classNames.length} classes; correct the label, or list all class names as \`classes\` in the recipe.`,
    );
  }
  return values;
}

function mapped(labels: LabelWords, classNames: readonly string[]): Int32Array {
  const index = new Map(classNames.map((name, i) => [name, i]));
  const toClass = labels.names.map((name, i) => {
    const found = index.get(name) ?? asIndex(name, classNames);
    if (found === undefined) throw unknownLabel(name, labels.firstAt[i]!, classNames);
    return found;
  });
  return labels.values.map((value) => toClass[value]!);
}

/** Class index for a number as label, such as `3`, if the recipe names the classes (`classes: [zero, one, …]`) and no class is called 3. */
export function asIndex(name: string, classNames: readonly string[]): number | undefined {
  if (!/^\d+$/.test(name) || classNames.some((other) => /^-?\d+$/.test(other))) return undefined;
  return Number(name) < classNames.length ? Number(name) : undefined;
}

export function unknownLabel(name: string, where: string, classNames: readonly string[]): UserError {
  const near = nearest(name, classNames);
  const known = classNames.length <= 12 ? classNames.join(', ') : `${classNames.slice(0, 11).join(', ')}, …`;
  return new UserError(
    `${where}: unknown label ${shown(name)}, expected one of ${classNames.length} classes: ${known}`,
    near === undefined
      ? 'Every label must occur in train or be listed as `classes` in the recipe.'
      : `Did you mean ${shown(near)}? Every label must occur in train or be listed as \`classes\` in the recipe.`,
  );
}
