import { nearest, shown, UserError } from '../../base/errors.ts';
import { taskRow } from '../../recipe/task.ts';
import { yamlText } from '../../recipe/yaml.ts';
import { timeOfDate } from '../dates.ts';
import { refuseDate } from '../splits/columns.ts';
import type { TableOptions } from '../config.ts';
import { countOfElements } from '../dataset.ts';
import type { RawLabels, RawSplit, Samples } from '../dataset.ts';
import { FloatRows } from '../storage/float-rows.ts';
import { growingInts } from '../storage/growing-array.ts';
import { noLabels } from './labelled.ts';
import { LabelNames } from '../splits/label-names.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { FEATURES } from './supported.ts';

/** Words that spreadsheets, pandas, R and Weka write for a missing value. */
const MISSING = new Set(['', 'na', 'n/a', '<na>', 'nan', 'null', 'none', '?']);

/** Kinds of columns by the values that were read; 0 is a column whose values were all missing. */
const [NUMBERS, DATES] = [1, 2];

/** Booleans as pandas and R write them in text; in typed files they are 1 and 0. */
const BOOLEAN = /^\s*(?:true|false)\s*$/i;

export function isMissing(text: string): boolean {
  return MISSING.has(text.trim().toLowerCase());
}

export function isBoolean(text: string): boolean {
  return BOOLEAN.test(text);
}

/**
 * Collects table rows as float32. Only the array and the distinct labels are kept, whatever the size of the file. For each row: `begin()`, `set()`
 * for every column, then `end(label)`.
 */
export class TableSink {
  readonly columns: readonly string[];
  readonly #options: TableOptions;
  readonly #source: string;
  readonly #rows: FloatRows;
  readonly #ids = growingInts();
  readonly #labels: readonly LabelNames[];
  /** Words of each categorical column, by its index. */
  readonly #words: ReadonlyMap<number, LabelNames>;
  /** NUMBERS or DATES by column. */
  readonly #kinds: Uint8Array;
  /** Milliseconds of the dates of each column that has some, row by row; NaN: missing. */
  readonly #dates = new Map<number, number[]>();
  /** See `MissingValues`. */
  readonly #missing = growingInts();
  readonly #labelNames: readonly string[];
  #row: Float32Array = new Float32Array(0);
  #start = 0;
  #dropped = false;
  #rowsSeen = 0;
  #filled = false;
  /** Column of the groups of windows; -1 without. */
  readonly #group: number;
  readonly #files: { readonly file: string; readonly firstRow: number }[] = [];

  /** `labels`: names of the label columns. */
  constructor(
    source: string,
    columns: readonly string[],
    options: TableOptions & RoomGiven,
    expectedRows: number,
    labels: readonly string[] = ['label'],
  ) {
    if (columns.length === 0) {
      throw new UserError(`${source}: no feature columns, only a label`, 'Check `label`, `ignore` and the delimiter.');
    }
    const spoilt = columns.find((name) => name.includes('\ufffd'));
    if (spoilt !== undefined)
      throw new UserError(
        `${source}: the column name ${shown(spoilt)} holds bytes that are no UTF-8`,
        'Save the file as UTF-8, or convert it, e.g. with `iconv -f latin1 -t utf-8`.',
      );
    this.columns = columns;
    this.#kinds = new Uint8Array(columns.length);
    this.#source = source;
    this.#options = options;
    this.#labelNames = labels;
    this.#labels = labels.map(() => new LabelNames());
    const { room, missing, window } = options;
    const ofWords = window?.group === undefined ? options.categorical : [window.group];
    const key = window?.group === undefined ? 'categorical' : 'window.group';
    this.#words = new Map(wordColumns(source, columns, key, ofWords, options).map((at) => [at, new LabelNames()]));
    this.#group = window?.group === undefined ? -1 : [...this.#words.keys()][0]!;
    // Words and means are known only at the end and then written over the values, which must be in memory.
    const inMemory =
      window !== undefined
        ? 'window'
        : this.#words.size > 0
          ? 'categorical'
          : missing === 'mean'
            ? 'missing: mean'
            : undefined;
    this.#rows = new FloatRows({ source, width: columns.length, expected: expectedRows, room, inMemory });
  }

  /** Called before the first row of each file. */
  beginFile(file: string): void {
    if (this.#options.window !== undefined) this.#files.push({ file, firstRow: this.#rowsSeen });
  }

  begin(): void {
    [this.#row, this.#start] = this.#rows.begin();
    this.#dropped = false;
  }

  /** Sets a field of a text file. */
  setText(column: number, text: string, where: () => string): void {
    if (this.#words.has(column)) {
      this.#setWord(column, text, where);
      return;
    }
    const value = Number(text);
    if (Number.isFinite(value) && (value !== 0 || text.trim() !== '')) {
      if (this.#kinds[column] !== NUMBERS) this.#becomes(NUMBERS, column, text, where);
      this.#row[this.#start + column] = value;
      if (!Number.isFinite(this.#row[this.#start + column]!)) throw this.#notFinite(column, text, where);
    } else if (isMissing(text)) this.#setMissing(column, text, where);
    else if (isBoolean(text)) {
      this.#becomes(NUMBERS, column, text, where);
      this.#row[this.#start + column] = text.trim().length === 4 ? 1 : 0;
    } else if (this.#setDate(column, text, where)) return;
    else if (Number.isNaN(value)) throw this.#notNumber(column, text, where);
    else throw this.#notFinite(column, text, where);
  }

  /** Sets a value of a typed file: number, bigint, boolean; null is missing. */
  setValue(column: number, value: unknown, where: () => string): void {
    if (value === null || value === undefined || Number.isNaN(value)) {
      if (column === this.#group) throw this.#noGroup(column, value, where);
      this.#setMissing(column, value, where);
      return;
    }
    const word = value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
    if (this.#words.has(column) && isPlain(word)) {
      this.#setWord(column, String(word), where);
      return;
    }
    if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
      if (this.#setDate(column, word, where)) return;
      throw this.#notNumber(column, value, where);
    }
    if (this.#kinds[column] !== NUMBERS) this.#becomes(NUMBERS, column, value, where);
    this.#row[this.#start + column] = Number(value);
    if (!Number.isFinite(this.#row[this.#start + column]!)) throw this.#notFinite(column, String(value), where);
  }

  #setWord(column: number, text: string, where: () => string): void {
    const word = text.trim();
    if (isMissing(word)) {
      if (column === this.#group) throw this.#noGroup(column, text, where);
      this.#setMissing(column, text, where);
      return;
    }
    if (column !== this.#group) refuseDate(word, this.columns[column]!, where, NO_WORD);
    this.#row[this.#start + column] = this.#words.get(column)!.push(word, where);
  }

  /** Keeps a date, whose parts are taken when all rows are read; false for a value of another form. */
  #setDate(column: number, value: unknown, where: () => string): boolean {
    const time = timeOfDate(value);
    if (time === undefined) return false;
    const name = this.columns[column]!;
    const { window, shape } = this.#options;
    if (window !== undefined || shape !== undefined || /\[\d+\]$/.test(name)) refuseDate(value, name, where, ONLY_ROWS);
    if (this.#words.has(column)) refuseDate(value, name, where, NO_WORD);
    if (Number.isNaN(time)) refuseDate(value, name, where, ['a date that exists', 'Correct the value.']);
    this.#becomes(DATES, column, value, where);
    const row = this.#ids.length;
    const times = this.#dates.get(column) ?? Array<number>(row).fill(NaN);
    times[row] = time;
    this.#dates.set(column, times);
    this.#row[this.#start + column] = 0;
    return true;
  }

  /** `UserError` for a column that holds numbers and dates. */
  #becomes(kind: number, column: number, value: unknown, where: () => string): void {
    const known = this.#kinds[column];
    if (known !== kind && known !== 0)
      throw new UserError(
        `${where()}: column ${shown(this.columns[column])}: expected a ${known === DATES ? 'date' : 'number'}, as in rows before it, received ${shown(value)}`,
        'A column holds dates or numbers: correct the value, or leave the column out.',
      );
    this.#kinds[column] = kind;
  }

  /** `labels`: value in each label column; undefined or empty: no label. */
  end(labels: readonly (string | undefined)[], where: () => string): void {
    const id = this.#rowsSeen++;
    if (this.#dropped) this.#rows.drop();
    else {
      this.#labels.forEach((names, i) => {
        const label = labels[i]?.trim();
        const isKnown = label !== '' || (labels.length === 1 && taskRow(this.#options.task).isEmptyKnown);
        if (label === undefined || !isKnown) names.pushNone(where);
        else names.push(label, where);
      });
      this.#ids.push(id);
    }
  }

  finish(): RawSplit {
    const ids = this.#ids.view();
    if (ids.length === 0) {
      throw new UserError(
        `${this.#source}: ${this.#rowsSeen === 0 ? 'no rows of data' : `all ${this.#rowsSeen} rows have missing values`}`,
        this.#rowsSeen === 0
          ? 'Point the recipe at a file with samples.'
          : 'Set `missing: mean` or `missing: zero` instead of `drop`.',
      );
    }
    const held = this.#rows.held();
    if (this.#dates.size > 0 && held.stored !== undefined)
      throw new UserError(
        `${this.#source}: column ${shown(this.columns[[...this.#dates.keys()][0]!])} holds dates, and the rows do not fit into memory`,
        'Free memory, use fewer rows, or write days and months as columns of numbers: a table of numbers need not fit.',
      );
    const dates = [...this.#dates].map(([column, times]) => ({ column, times: times.slice(0, ids.length) }));
    return {
      source: this.#source,
      sampleShape: tableShape(this.columns.length, this.#options.shape),
      ...held,
      labels: this.#rawLabels(),
      ids,
      columns: this.columns,
      labelNames: this.#labelNames,
      fillWithMean: this.#filled,
      ...(this.#missing.length > 0 && { missing: this.#missing.view() }),
      ...(this.#words.size > 0 && {
        words: [...this.#words].map(([column, names]) => ({ column, ...names.labels() })),
      }),
      ...(dates.length > 0 && { dates }),
      ...(this.#options.window !== undefined && { files: this.#files }),
    };
  }

  #rawLabels(): RawLabels {
    if (this.#labels.length === 0) return noLabels(this.#ids.length);
    const columns = this.#labels.map((names) => names.labels());
    return columns.length === 1
      ? columns[0]!
      : { kind: 'columns', names: this.#labelNames, columns, values: columns[0]!.values };
  }

  #setMissing(column: number, value: unknown, where: () => string): void {
    const policy = this.#options.missing ?? 'error';
    if (policy === 'error') {
      throw new UserError(
        `${where()}: column ${shown(this.columns[column])}: missing value (${received(value)})`,
        'Set `missing: mean`, `missing: zero` or `missing: drop` in the recipe, or correct the row.',
      );
    }
    if (policy === 'drop') this.#dropped = true;
    else {
      this.#missing.push(this.#rowsSeen);
      this.#missing.push(column);
    }
    // A categorical column has no mean: a missing value is none of its words.
    const isWord = this.#words.has(column);
    if (policy === 'mean' && !isWord) this.#filled = true;
    this.#row[this.#start + column] = isWord ? -1 : policy === 'mean' ? NaN : 0;
    const times = this.#dates.get(column);
    if (times !== undefined) times[this.#ids.length] = NaN;
  }

  #noGroup(column: number, value: unknown, where: () => string): UserError {
    return new UserError(
      `${where()}: column ${shown(this.columns[column])}: missing value (${received(value)}), expected the group of the row`,
      'Name the group of every row: a window never holds rows of two groups.',
    );
  }

  #notNumber(column: number, value: unknown, where: () => string): UserError {
    refuseDate(value, this.columns[column]!, where);
    if (this.#kinds[column] === DATES) this.#becomes(NUMBERS, column, value, where);
    const isDecimal = typeof value === 'string' && /^\s*[+-]?\d+,\d+\s*$/.test(value);
    return new UserError(
      `${where()}: column ${shown(this.columns[column])}: expected a number, received ${shown(value)}`,
      `${isDecimal ? 'Write decimals with a point. ' : ''}Correct the value if it is to be a number. ${FEATURES} For this one: \`categorical: [${yamlText(this.columns[column]!)}]\`.`,
    );
  }

  #notFinite(column: number, text: string, where: () => string): UserError {
    return new UserError(
      `${where()}: column ${shown(this.columns[column])}: ${text} is no finite float32 number`,
      'Correct the value or remove the row.',
    );
  }
}

/** Ends of refusals of a date: the expected value, and the remedy. */
const NO_WORD = [
  'a word',
  'Dates of ISO 8601 (2024-01-31) are read without a key: name columns of words alone.',
] as const;
const ONLY_ROWS = [
  'a number',
  'Dates are read in tables whose row is a sample, without `window`, `shape` and lists: leave the column out (`ignore` for CSV, `features` for others).',
] as const;

function isPlain(value: unknown): value is string | number | bigint | boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

/** The features that are named, with the column of the groups of windows. */
export function withGroup(
  features: readonly string[] | undefined,
  { window }: Pick<TableOptions, 'window'>,
): readonly string[] | undefined {
  const group = window?.group === undefined ? undefined : String(window.group);
  return features === undefined || group === undefined || features.includes(group) ? features : [...features, group];
}

/** Indexes of the columns of words, which the key names. */
function wordColumns(
  source: string,
  columns: readonly string[],
  key: string,
  names: TableOptions['categorical'] = [],
  { shape }: TableOptions,
): number[] {
  if (names.length > 0 && shape !== undefined)
    throw new UserError(
      `shape: expected none beside columns of words, received [${shape.join(', ')}]`,
      'Leave one of `shape` and `categorical` out: a word becomes several numbers.',
    );
  return names.map((wanted) => {
    const at = columns.indexOf(String(wanted));
    if (at !== -1) return at;
    const near = nearest(String(wanted), columns);
    const remedy =
      key === 'categorical' ? 'Name columns of words' : 'Name the column that says to whom or what a row belongs';
    throw new UserError(
      `${source}: ${key}: no column ${shown(wanted)} among the features: ${columns.slice(0, 8).join(', ')}${columns.length > 8 ? ', …' : ''}`,
      `${near === undefined ? '' : `Did you mean ${shown(near)}? `}${remedy}; in a CSV file without a header by their index.`,
    );
  });
}

function tableShape(features: number, shape?: readonly number[]): readonly number[] {
  if (shape === undefined) return [features];
  if (countOfElements(shape) !== features) {
    throw new UserError(
      `shape: [${shape.join(', ')}] has ${countOfElements(shape)} values, but a row has ${features} features`,
      'Choose a shape whose product is the number of features.',
    );
  }
  return shape;
}

/** Replaces NaN in all `splits` by the column's mean over the first, train, which are returned; a column without any value becomes 0. */
export function fillMeans(splits: readonly Samples[], width: number): Float32Array {
  const sums = new Float64Array(width);
  const counts = new Float64Array(width);
  splits[0]!.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    sums[i % width]! += value;
    counts[i % width]! += 1;
  });
  const means = Float32Array.from(sums, (sum, column) => (counts[column] === 0 ? 0 : sum / counts[column]!));
  for (const samples of splits) {
    for (let i = 0; i < samples.length; i++) if (Number.isNaN(samples[i])) samples[i] = means[i % width]!;
  }
  return means;
}

function received(value: unknown): string {
  if (value === undefined) return 'absent';
  return value === '' ? 'empty' : Number.isNaN(value) ? 'NaN' : shown(value);
}
