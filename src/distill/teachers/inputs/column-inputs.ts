import { shown, UserError } from '../../../base/errors.ts';
import { areNamed, numberNames, widthOf } from '../../../data/splits/columns.ts';
import type { Column, Dataset } from '../../../data/dataset.ts';
import type { Model, OnnxAttr, OnnxNode } from '../../../formats/onnx/model.ts';
import type { InferenceTensor, ModelValue } from '../../../runtime/inference.ts';
import { samplesAs } from '../../../runtime/typed.ts';

/**
 * The file with numbers in place of the words that its inputs take: place of the word among those of its column, the place behind them for any other
 * word, and -1 for a missing one, which is ''. A LabelEncoder (ai.onnx.ml) makes words of them inside. The file itself where it takes no words that are known. `UserError` for an input that takes a
 * date: its parts alone, such as `signup.month`, are numbers of known meaning.
 */
export function withWordNumbers(model: Model, name: string, columns: readonly Column[] = []): Model {
  const dates = columns.filter(({ date }) => date !== undefined);
  for (const input of model.graph.inputs) {
    const column = columnOfInput(dates, input.name);
    if (column !== undefined && isColumn(input.dims))
      throw new UserError(
        `${name}: its input ${shown(input.name)} takes ${input.dtype}, and the column of the data holds dates, of which the file does not say what it takes`,
        `Train the teacher on parts of the date as columns: ${numberNames([column]).join(', ')}; or leave the column out.`,
      );
  }
  const found = model.graph.inputs.flatMap((input) => {
    const words = input.dtype === 'string' ? columnOfInput(columns, input.name)?.words : undefined;
    return words === undefined ? [] : [{ input, words }];
  });
  if (found.length === 0) return model;
  const places = new Map(found.map(({ input }) => [input, `${input.name}/place`]));
  const version = model.opsets.get('ai.onnx.ml') ?? 0;
  const encoders = found.map(({ input, words }): OnnxNode => {
    const node = { op: 'LabelEncoder', domain: 'ai.onnx.ml', name: `${input.name}/words` };
    return { ...node, inputs: [places.get(input)!], outputs: [input.name], attrs: wordsOf(words, version) };
  });
  const inputs = model.graph.inputs.map((input) =>
    places.has(input) ? { ...input, name: places.get(input)!, dtype: 'int64' as const } : input,
  );
  const opsets = version === 0 ? new Map([...model.opsets, ['ai.onnx.ml', 2] as const]) : model.opsets;
  return { ...model, opsets, graph: { ...model.graph, inputs, nodes: [...encoders, ...model.graph.nodes] } };
}

function isColumn(shape: readonly unknown[] = []): boolean {
  return shape.length <= 2 && (shape[1] ?? 1) === 1;
}

/** Attributes of a LabelEncoder from places to words; version 1 of the operators lists the words alone. */
function wordsOf(known: readonly string[], version: number): Map<string, OnnxAttr> {
  let other = 'another word';
  while (known.includes(other)) other += '?';
  const words = [...known, other];
  const rest: [string, OnnxAttr] = ['default_string', { type: 'string', value: '' }];
  if (version === 1) return new Map([['classes_strings', { type: 'strings', value: words }], rest]);
  return new Map<string, OnnxAttr>([
    ['keys_int64s', { type: 'ints', value: words.map((_, i) => i) }],
    ['values_strings', { type: 'strings', value: words }],
    rest,
  ]);
}

/** Columns by the names that exporters write: skl2onnx and pandas keep them, others replace characters other than letters and digits by _. */
export function columnOfInput<C extends Pick<Column, 'name'>>(columns: readonly C[], name: string): C | undefined {
  const plain = (text: string): string => text.replace(/\W/g, '_').toLowerCase();
  const own = name.replace(/\/place$/, '');
  return columns.find((column) => column.name === own) ?? columns.find((column) => plain(column.name) === plain(own));
}

/** Column of a data set for an input: offset and number of its values in a sample. */
interface ColumnInput {
  readonly input: ModelValue;
  readonly column: string;
  readonly from: number;
  readonly words: number | undefined;
  /** True for the year of a date, which is computed of its days. */
  readonly year?: boolean | undefined;
}

/**
 * Inputs of [batch, 1] that take a column each, by its name, as in pipelines of scikit-learn; undefined for a file with other inputs. `UserError` where the
 * data have the columns of some inputs alone. Of a date an input takes a part, such as `signup.month`, or its year, `signup.year`.
 */
export function columnInputs(
  inputs: readonly ModelValue[],
  { columns, inputs: parts }: Pick<Dataset, 'columns' | 'inputs'>,
  name: string,
): readonly ColumnInput[] | undefined {
  if (columns === undefined || parts !== undefined || !areNamed(columns)) return undefined;
  let at = 0;
  const placed = columns.flatMap((column): (Column & Pick<ColumnInput, 'column' | 'from' | 'year'>)[] => {
    const from = at;
    at += widthOf(column);
    if (column.date === undefined) return [{ ...column, column: column.name, from }];
    const parts = numberNames([column]).map((part, i) => ({ name: part, column: column.name, from: from + i }));
    const days = from + column.date.indexOf('days');
    return [...parts, { name: `${column.name}.year`, column: column.name, from: days, year: true }];
  });
  const found = inputs.flatMap((input) => {
    const column = columnOfInput(placed, input.name);
    return column !== undefined && isColumn(input.shape)
      ? [{ input, column: column.column, from: column.from, words: column.words?.length, year: column.year }]
      : [];
  });
  if (found.length === inputs.length) return found;
  if (found.length === 0) return undefined;
  const absent = inputs.filter((input) => found.every((one) => one.input !== input)).map((input) => input.name);
  const dates = placed.filter((one) => one.name !== one.column).map((one) => one.name);
  throw new UserError(
    `${name}: takes columns by their names, and the samples have none for ${absent.map(shown).join(', ')}`,
    `Labels (\`dataset.label\`) and columns of \`dataset.ignore\` are no part of a sample: choose others, or train the teacher without these columns.${dates.length === 0 ? '' : ` Of dates there are ${dates.join(', ')}.`}`,
  );
}

/**
 * Columns whose missing values the file takes as a data frame has them, '' for a word and NaN for a number: those for which it still answers with
 * numbers. `answers`: true if it does so for these raw samples [n, width].
 */
export async function columnsWithMissing(
  inputs: readonly ColumnInput[],
  raw: Float32Array,
  n: number,
  answers: (raw: Float32Array) => Promise<boolean>,
): Promise<ReadonlySet<string>> {
  const names = [...new Set(inputs.map(({ column }) => column))];
  const of = (name: string): readonly ColumnInput[] => inputs.filter(({ column }) => column === name);
  const words = names.filter((name) => of(name).every((one) => one.words !== undefined));
  const numbers = names.filter((name) => of(name).every((one) => one.words === undefined && isFloat(one.input)));
  const width = raw.length / n;
  const takes = (some: readonly string[]): Promise<boolean> => {
    const without = raw.slice();
    for (const { from } of some.flatMap(of)) for (let row = 0; row < n; row++) without[row * width + from] = NaN;
    return answers(without);
  };
  const taken = (await takes(numbers)) ? numbers : [];
  if (taken.length === 0) for (const name of numbers) if (await takes([name])) taken.push(name);
  return new Set([...words, ...taken]);
}

const isFloat = ({ dtype }: ModelValue): boolean => dtype.startsWith('float');

/** Feeds for raw samples [n, width], where NaN stands for a missing value. `UserError` for a fraction in a column of integers, and for numbers in a column of words. */
export function columnFeeds(
  inputs: readonly ColumnInput[],
  raw: Float32Array,
  n: number,
  name: string,
): Record<string, InferenceTensor> {
  const width = raw.length / n;
  const feeds = inputs.map(({ input, from, words, year }): [string, InferenceTensor] => {
    const takesPlaces = input.name.endsWith('/place');
    if (takesPlaces !== (words !== undefined))
      throw new UserError(
        `${name}: its input ${shown(input.name)} takes ${input.dtype}, and the column of the data holds ${words === undefined ? 'numbers' : 'words'}`,
        'Train the teacher on the columns as the data have them, or write the column of the data as it was when the teacher was trained.',
      );
    const values = Float32Array.from({ length: n }, (_, row) => {
      const own = raw.subarray(row * width + from, row * width + from + (words ?? 1));
      // Days have the rounding error of their normalization.
      if (year) return new Date(Math.round(own[0]!) * 86_400_000).getUTCFullYear();
      if (words === undefined) return whole(input, own[0]!, name);
      const place = own.findIndex((value) => value > 0.5);
      return place >= 0 ? place : Number.isNaN(own[0]) ? -1 : words;
    });
    const shape = input.shape.length === 1 ? [n] : [n, 1];
    return [input.name, { data: samplesAs(input.dtype, values, `${input.name} of ${name}`), shape }];
  });
  return Object.fromEntries(feeds);
}

/** Value of a column, of integers without the rounding error of its normalization. `UserError` for a fraction among integers. */
function whole({ dtype, name: input }: ModelValue, value: number, name: string): number {
  if (!dtype.startsWith('int')) return value;
  const near = Math.round(value);
  if (Math.abs(value - near) < 1e-3 * Math.max(1, Math.abs(near))) return near;
  throw new UserError(
    `${name}: its input ${shown(input)} takes whole numbers (${dtype}), received ${value} in the column`,
    'Export the teacher with floats for this column (`FloatTensorType([None, 1])`): it then takes fractions, such as the mean in place of a missing value, and NaN for the missing value itself.',
  );
}
