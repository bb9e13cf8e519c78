import { UserError, nearest, shown } from '../../../base/errors.ts';
import { taskRow } from '../../../recipe/task.ts';
import type { DataFiles, JsonlConfig } from '../../config.ts';
import type { RawSplit } from '../../dataset.ts';
import { jsonObject } from '../../readers/json-line.ts';
import { countLines, fileList, linesOf } from '../../readers/source.ts';
import { listedText } from '../../splits/label-names.ts';
import { SUPPORTED_LABELS } from '../../readers/supported.ts';
import type { LabelsRead } from '../../readers/labelled.ts';
import type { RoomGiven } from '../../storage/memory-budget.ts';
import { TableSink, withGroup } from '../../readers/table.ts';
import type { OpenText } from '../../text/open.ts';
import { textSink } from '../../text/word-sink.ts';
import type { RowSink } from '../../text/sink.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SplitReader } from '../../readers/registry.ts';

export type JsonlOptions = Pick<
  JsonlConfig,
  'features' | 'label' | 'missing' | 'categorical' | 'shape' | 'task' | 'separator' | 'window'
> &
  LabelsRead &
  RoomGiven & {
    readonly text?: OpenText | undefined;
    /** Key of a text that stands before the text, as titles of documents do; lines need not have it. No recipe sets it. */
    readonly title?: string | undefined;
  };

type Row = Record<string, unknown>;

/** Reads JSON lines: an object per line, with an array of numbers (nested for pictures) or one number per key, and a label. */
export async function readJsonl(files: DataFiles, options: JsonlOptions): Promise<RawSplit> {
  const list = fileList(files);
  let expectedRows = 0;
  for (const file of list) expectedRows += await countLines(file);
  const reader = new JsonlReader(list[0]!, options, expectedRows);
  for (const file of list) await reader.read(file);
  return reader.finish();
}

class JsonlReader {
  readonly #options: JsonlOptions;
  readonly #source: string;
  readonly #expectedRows: number;
  /** Keys of the categorical columns. */
  readonly #words: ReadonlySet<string>;
  #sink: RowSink | undefined;
  /** Key of the array of features; undefined if each feature has a key of its own. */
  #array: string | undefined;
  #shape: readonly number[] | undefined;
  /** The nested shape of the first line, without an added channel axis. */
  #nested: readonly number[] = [];
  #first: { readonly row: Row; readonly where: string } | undefined;
  /** True if the features are the keys of the first line, because neither the recipe nor a model names them. */
  #isByFirstLine = false;
  #hasLabelKey = false;
  #file = '';
  #line = 0;
  #isNewFile = true;
  readonly #where = () => `${this.#file}:${this.#line}`;

  constructor(source: string, options: JsonlOptions, expectedRows: number) {
    this.#source = source;
    this.#options = options;
    this.#expectedRows = expectedRows;
    this.#words = new Set(options.categorical?.map(String));
  }

  async read(file: string): Promise<void> {
    this.#file = file;
    this.#line = 0;
    this.#isNewFile = true;
    for await (const lines of linesOf(file)) {
      for (const text of lines) {
        this.#line++;
        if (text.trim() !== '') this.#row(jsonObject(text, this.#where()));
      }
    }
    await this.#sink?.endFile?.(file);
  }

  finish(): RawSplit {
    // A label key that no line has is a spelling mistake rather than unlabelled data.
    if (this.#options.withoutLabels !== true && !this.#hasLabelKey && this.#first !== undefined)
      throw this.#noKey(this.#labelKeys()[0]!, 'label', this.#first.row, this.#first.where);
    this.#sink ??= new TableSink(this.#source, ['features'], this.#options, 0);
    const split = this.#sink.finish();
    return this.#shape === undefined || this.#options.shape !== undefined
      ? split
      : { ...split, sampleShape: this.#shape };
  }

  #row(row: Row): void {
    const keys = this.#options.withoutLabels === true ? [] : this.#labelKeys();
    if (this.#first === undefined) this.#first = { row, where: this.#where() };
    if (keys.some((key) => row[key] !== undefined)) this.#hasLabelKey = true;
    const labels = keys.map((key) => this.#label(row, key));
    if (this.#sink === undefined) this.#start(row);
    const sink = this.#sink!;
    if (this.#isNewFile) sink.beginFile?.(this.#file);
    this.#isNewFile = false;
    sink.begin();
    const { title } = this.#options;
    if (this.#array === undefined) {
      if (this.#isByFirstLine) this.#refuseNewKey(row);
      sink.columns.forEach((key, i) => {
        if (this.#words.has(key)) this.#requireDigits(row[key], `the word of ${shown(key)}`);
        sink.setValue(i, title === undefined ? row[key] : titled(row[title], row[key]), this.#where);
      });
    } else {
      if (row[this.#array] === undefined) throw this.#noKey(this.#array, 'features', row);
      const values = flatten(row[this.#array]);
      const shape = this.#shape && nesting(row[this.#array]);
      if (shape !== undefined && shape.join() !== this.#nested.join()) {
        throw new UserError(
          `${this.#where()}: ${shown(this.#array)} is [${shape.join(', ')}], in the first line [${this.#nested.join(', ')}]`,
          'Every sample needs the same shape.',
        );
      }
      if (shape !== undefined && !isEven(row[this.#array], shape)) throw uneven(row[this.#array], this.#where());
      if (values.length !== sink.columns.length) {
        throw new UserError(
          `${this.#where()}: ${shown(this.#array)} has ${values.length} values, in the first line ${sink.columns.length}`,
          'Every sample needs the same number of features.',
        );
      }
      values.forEach((value, i) => sink.setValue(i, value, this.#where));
    }
    sink.end(labels, this.#where);
  }

  #labelKeys(): readonly string[] {
    return [this.#options.label ?? 'label'].flat();
  }

  #label(row: Row, key: string): string | undefined {
    const { task, separator = '|' } = this.#options;
    const found = row[key];
    const isList = Array.isArray(found) && !taskRow(task).hasClasses;
    const value = isList ? listedText(found, separator, this.#where) : found;
    if (taskRow(task).hasNames) for (const one of [found].flat()) this.#requireDigits(one, 'the label');
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    if (value === undefined || value === null) return undefined;
    throw new UserError(`${this.#where()}: the label is ${shown(value)}`, SUPPORTED_LABELS);
  }

  /** `UserError` for a number beyond 2^53: JSON.parse rounds it, and different classes could become one. */
  #requireDigits(value: unknown, what: string): void {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return;
    throw new UserError(
      `${this.#where()}: ${what} ${String(value)} has more digits than JSON's numbers keep`,
      'Write it as a text, in quotes.',
    );
  }

  #start(row: Row): void {
    const { features, text } = this.#options;
    const labels = this.#labelKeys();
    if (text !== undefined) {
      const keys = text.columns.map(String);
      for (const key of keys) if (!(key in row)) throw this.#noKey(key, 'text.column', row);
      this.#sink = textSink(this.#source, keys, text, this.#options, this.#expectedRows, labels);
      return;
    }
    const single =
      typeof features === 'string'
        ? features
        : features === undefined && Array.isArray(row['features'])
          ? 'features'
          : undefined;
    if (single !== undefined) {
      if (!(single in row)) throw this.#noKey(single, 'features', row);
      if (Array.isArray(row[single])) {
        this.#array = single;
        this.#shape = shapeOf(row[single], this.#where());
        this.#nested = nesting(row[single]);
      }
    }
    const names =
      this.#array !== undefined
        ? flatten(row[this.#array]).map((_, i) => `${this.#array!}[${i}]`)
        : single !== undefined
          ? [single]
          : (withGroup(features as readonly string[] | undefined, this.#options) ??
            Object.keys(row).filter((key) => !labels.includes(key)));
    this.#isByFirstLine = features === undefined && this.#array === undefined;
    for (const key of this.#array === undefined ? names : []) {
      if (!(key in row)) throw this.#noKey(key, 'features', row);
      if (Array.isArray(row[key])) {
        throw new UserError(
          `${this.#where()}: ${shown(key)} is a list, expected a number per key or one list named by \`features\``,
          `Set \`features: ${key}\` to read this list alone.`,
        );
      }
    }
    const kept = this.#options.withoutLabels === true ? [] : labels;
    this.#sink = new TableSink(this.#source, names, this.#options, this.#expectedRows, kept);
  }

  /** `UserError` for a feature that only later lines have: it would be ignored without a word. */
  #refuseNewKey(row: Row): void {
    const { columns } = this.#sink!;
    const labels = this.#labelKeys();
    const key = Object.keys(row).find((name) => !columns.includes(name) && !labels.includes(name));
    if (key === undefined) return;
    throw new UserError(
      `${this.#where()}: the key ${shown(key)} is not in the first line, whose keys are the features: ${columns.join(', ')}`,
      'Name the keys to read as `features`, or give the first line all of them.',
    );
  }

  #noKey(key: string, option: string, row: Row, where = this.#where()): UserError {
    const near = nearest(key, Object.keys(row));
    return new UserError(
      `${where}: no key ${shown(key)}, the line has: ${Object.keys(row).join(', ')}`,
      `${near === undefined ? '' : `Did you mean ${shown(near)}? `}Set \`${option}\` to a key that every line has.`,
    );
  }
}

/** A text behind its title, if it has one; a text that is none stays as it is, and is refused. */
function titled(title: unknown, text: unknown): unknown {
  return typeof text === 'string' && typeof title === 'string' ? `${title} ${text}`.trim() : text;
}

function flatten(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [value];
  return value.some(Array.isArray) ? value.flat(Infinity) : value;
}

/** Shape of nested arrays, [2, 3, 1] for `[[1, 2, 3], [4, 5, 6]]`; undefined for a flat list. */
function shapeOf(value: unknown, where: string): readonly number[] | undefined {
  const shape = nesting(value);
  if (shape.length === 1) return undefined;
  if (shape.length > 3 || !isEven(value, shape)) throw uneven(value, where);
  return shape;
}

function uneven(value: unknown, where: string): UserError {
  return new UserError(
    `${where}: expected a list of numbers, or rows of equal length, received ${shown(value)}`,
    'Write sequences as [step][channel], and pictures as [row][column] or [row][column][channel].',
  );
}

/** True if all rows have the same length; the total number of values alone does not tell. */
function isEven(value: unknown, [length, ...inner]: readonly number[]): boolean {
  if (length === undefined) return !Array.isArray(value);
  return Array.isArray(value) && value.length === length && value.every((one) => isEven(one, inner));
}

function nesting(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...nesting(value[0])] : [];
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'jsonl' }>> = { shares: 'parsed', read: readJsonl };
