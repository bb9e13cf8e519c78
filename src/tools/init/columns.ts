import { parse } from 'csv-parse/sync';
import type { SeenForm } from '../../recipe/init.ts';
import type { TableRows } from '../../data/readers/guess.ts';
import { windowsForm } from './windows.ts';
import { timeOfDate } from '../../data/dates.ts';
import { DATE_OF_ANY_FORM } from '../../data/splits/columns.ts';
import { isBoolean, isMissing } from '../../data/readers/table.ts';

/** Minimum average number of words in a text; shorter values are names or categories. */
const WORDS = 3;
/** Maximum distinct words in a categorical column, and their maximum share of its values: above it most words occur once. */
const [MOST_WORDS, MOST_SHARE] = [50, 0.5];
/** Number of rows by which delimiters are compared. */
const COMPARED = 20;
/** Columns of two texts, as data sets of sentence-transformers name them. */
const PAIR = ['sentence1', 'sentence2'];
/** A date in any order, a time of day, or both. */
const DATE = /^\s*(\d{1,4}([-./])\d{1,2}\2\d{1,4}([T ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2}.*)?)\s*$/;
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Delimiter, header, label column and kinds of columns of a CSV file. `lines`: its first lines; `label`: named columns. */
export function csvForm(lines: readonly string[], label: readonly string[]): SeenForm {
  const text = lines.join('\n');
  const delimiter = delimiterOf(text);
  const [first = [], ...others] = records(text, delimiter);
  /** A word above numbers only is a column name, even beside names that are numbers. */
  const isName = (cell: string, i: number): boolean =>
    !isNumber(cell) && !isMissing(cell.trim()) && others.length > 0 && others.every((row) => isNumber(row[i] ?? ''));
  const isLabel = (cell: string): boolean =>
    cell.trim() === 'label' || (label.includes(cell.trim()) && !isNumber(cell));
  const hasHeader = !first.some((cell) => isNumber(cell) || isDate(cell)) || first.some(isLabel) || first.some(isName);
  const names = first.map((name, i) => (hasHeader ? name.trim() : String(i)));
  const rows = (hasHeader ? others : [first, ...others]).map((record) =>
    Object.fromEntries(names.map((name, i) => [name, record[i] ?? ''])),
  );
  const last = names.length > 1 && !names.includes('label') ? names.at(-1) : undefined;
  const isLast = label.length === 0 && last !== undefined;
  const { categorical, ignore, leftOut, ...form } = rowsForm(rows, isLast ? [last] : label, hasHeader);
  /** Columns without names are given by index. */
  const meant = (columns: SeenForm['ignore']): SeenForm['ignore'] => (hasHeader ? columns : columns!.map(Number));
  return {
    columns: names,
    ...(delimiter !== ',' && { delimiter }),
    ...(!hasHeader && { header: false }),
    ...(isLast && hasHeader && { lastLabel: last }),
    ...form,
    ...(categorical && { categorical: meant(categorical) }),
    ...(ignore && { ignore: meant(ignore), leftOut: leftOut! }),
  };
}

/** Like `csvForm`, for JSON lines and Parquet, in which columns to ignore cannot be named, only columns to use. */
export function jsonForm(rows: TableRows, label: readonly string[]): SeenForm {
  const names = Object.keys(rows[0] ?? {});
  const last = names.length > 1 && !names.includes('label') ? names.at(-1) : undefined;
  const isLast = label.length === 0 && last !== undefined;
  const labels = isLast ? [last] : label;
  const { ignore, leftOut, ...form } = rowsForm(rows, labels, true);
  const others = new Set([...(labels.length > 0 ? labels : ['label']), ...(ignore ?? []), form.window?.group]);
  const isFlat = rows.every((row) => Object.values(row).every((value) => typeof value !== 'object' || value === null));
  return {
    ...(isFlat && { columns: names }),
    ...(isLast && { lastLabel: last }),
    ...form,
    ...(ignore && { features: names.filter((name) => !others.has(name)), leftOut: leftOut! }),
  };
}

/** Kinds of columns, or windows of rows in time. */
function rowsForm(rows: TableRows, label: readonly string[], hasNames: boolean): SeenForm {
  const form = columnsForm(rows, label);
  const words = [...(form.categorical ?? []), ...(form.dates ?? []), ...(form.ignore ?? [])].map(String);
  const windows = hasNames && form.text === undefined ? windowsForm(rows, label[0] ?? 'label', words) : undefined;
  return windows === undefined ? form : { ...(form.missing && { missing: form.missing }), ...windows };
}

function records(text: string, delimiter: string, most?: number): string[][] {
  const lenient = {
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
  };
  return parse(text, { ...lenient, bom: true, delimiter, ...(most !== undefined && { to: most }) });
}

/** Delimiter that gives all of the first rows the same number of columns; a comma if none does. */
function delimiterOf(text: string): string {
  const cuts = (delimiter: string): boolean => {
    const widths = records(text, delimiter, COMPARED).map((record) => record.length);
    return widths.length > 0 && widths[0]! > 1 && widths.every((width) => width === widths[0]);
  };
  return DELIMITERS.find(cuts) ?? ',';
}

function columnsForm(rows: TableRows, label: readonly string[]): SeenForm {
  const names = Object.keys(rows[0] ?? {});
  const labels = new Set(label.length > 0 ? label : ['label']);
  const all = names.filter((name) => !labels.has(name)).map((name) => ({ name, values: rows.map((row) => row[name]) }));
  const known = all
    .map(({ name, values }) => ({ name, values: values.filter((value) => !isNothing(value)) }))
    .filter(({ values }) => !areNumbers(values))
    .map(({ name, values }) => ({ name, words: values.map(String) }));
  const dates = known.filter(({ words }) => words.every(isDate)).map(({ name }) => name);
  const ofDates = new Set(dates);
  const columns = known.filter(({ name }) => !ofDates.has(name));
  if (PAIR.every((name) => columns.some((column) => column.name === name))) return { text: { column: [...PAIR] } };
  const texts = columns.filter(({ words }) => mean(words.map((text) => text.trim().split(/\s+/u).length)) >= WORDS);
  if (texts.length > 0) {
    const length = ({ words }: { words: readonly string[] }): number => mean(words.map((text) => text.length));
    return { text: { column: texts.reduce((a, b) => (length(b) > length(a) ? b : a)).name } };
  }
  const isKind = ({ words }: { words: readonly string[] }): boolean => {
    const different = new Set(words).size;
    if (words.some((word) => DATE_OF_ANY_FORM.test(word))) return false;
    return different <= MOST_WORDS && different <= Math.max(2, MOST_SHARE * words.length);
  };
  const categorical = columns.filter(isKind).map(({ name }) => name);
  const others = columns.filter((column) => !isKind(column));
  const ignore = others.map(({ name }) => name);
  const leftOut = others.map(({ name, words }) =>
    words.every((word) => DATE.test(word)) || words.some((word) => DATE_OF_ANY_FORM.test(word))
      ? `${name} holds dates`
      : `${name} holds ${new Set(words).size} different words in the ${words.length} rows that were looked at`,
  );
  const ignored = new Set(ignore);
  const hasGaps = all.some(({ name, values }) => !ignored.has(name) && values.some(isNothing));
  return {
    ...(categorical.length > 0 && { categorical }),
    ...(dates.length > 0 && { dates }),
    ...(ignore.length > 0 && { ignore, leftOut }),
    ...(hasGaps && { missing: 'mean' }),
  };
}

/** A date that the reader takes. */
function isDate(text: string): boolean {
  return timeOfDate(text) !== undefined && !Number.isNaN(timeOfDate(text));
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && isMissing(value));
}

/** True if no value is a word, or most are numbers: the reader reports the few others with their line. */
function areNumbers(values: readonly unknown[]): boolean {
  const words = values.filter((value) => typeof value === 'string' && !isNumber(value) && !isBoolean(value));
  return (
    words.length === 0 ||
    words.filter((word) => isSlip(String(word))).length + values.length - words.length > values.length / 2
  );
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

/** A number in an unreadable form: with a comma, groups of thousands, or a unit of money or percent. Excludes dates. */
function isSlip(text: string): boolean {
  return /^\s*[-+]?[€$£]? ?\d[\d.,' ]*[%€$£]?\s*$/.test(text) && !/^\s*\d{1,4}([./])\d{1,2}\1\d{1,4}\s*$/.test(text);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Message about the first of the label columns (separated by commas) that a table lacks. A number is a column's index. */
export function absentColumn(named: string, file: string, columns: readonly string[] | undefined): string | undefined {
  const names = named
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const absent = columns && names.find((name) => !columns.includes(name) && !/^-?\d+$/.test(name));
  return absent && `no column ${absent}, ${file} has ${columns.join(', ')}`;
}
