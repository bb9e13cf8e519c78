import { pipeline } from 'node:stream/promises';
import { CsvError, Parser } from 'csv-parse';
import { UserError, nearest, shown } from '../../base/errors.ts';
import type { CsvConfig, DataFiles } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import { countLines, emptyFile, fileList, openUnpacked, streamError } from './source.ts';
import type { LabelsRead } from './labelled.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { TableSink } from './table.ts';
import type { OpenText } from '../text/open.ts';
import type { RowSink } from '../text/sink.ts';
import type { textSink } from '../text/word-sink.ts';

export type CsvOptions = Pick<
  CsvConfig,
  'label' | 'ignore' | 'header' | 'delimiter' | 'missing' | 'categorical' | 'shape' | 'task' | 'separator' | 'window'
> &
  LabelsRead &
  RoomGiven & { readonly text?: OpenText | undefined };

interface Layout {
  readonly names: readonly string[];
  readonly labels: readonly number[];
  readonly features: readonly number[];
}

/** Reads comma separated values, streamed through csv-parse: no row outlives its callback. */
export async function readCsv(files: DataFiles, options: CsvOptions): Promise<RawSplit> {
  const sinkOfTexts = options.text && (await import('../text/word-sink.ts')).textSink;
  const reader = new CsvReader(fileList(files), options, sinkOfTexts);
  for (const file of fileList(files)) await reader.read(file);
  return reader.finish();
}

class CsvReader {
  readonly #files: readonly string[];
  readonly #options: CsvOptions;
  readonly #sinkOfTexts: typeof textSink | undefined;
  #layout: Layout | undefined;
  #sink: RowSink | undefined;
  #expectedRows = 0;
  #file = '';
  #line = 0;
  readonly #where = () => `${this.#file}:${this.#line}`;

  /** `sinkOfTexts`: for options with a text. */
  constructor(files: readonly string[], options: CsvOptions, sinkOfTexts: typeof textSink | undefined) {
    this.#files = files;
    this.#options = options;
    this.#sinkOfTexts = sinkOfTexts;
  }

  async read(file: string): Promise<void> {
    this.#file = file;
    if (this.#sink === undefined) for (const each of this.#files) this.#expectedRows += await countLines(each);
    const lines = new LineCounter();
    let first = true;
    const parser = new Parser({
      bom: true,
      delimiter: delimiterOf(this.#options),
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: 1 << 26,
      // Rows are handled in the callback and not passed on: half the time of reading records from the stream.
      on_record: (record: string[], info) => {
        this.#line = lines.startOf(record, info);
        if (first) this.#firstRecord(record);
        else this.#row(record);
        first = false;
        return null;
      },
    });
    try {
      parser.resume();
      await pipeline(await openUnpacked(file), parser);
    } catch (error) {
      throw error instanceof CsvError ? this.#syntaxError(error) : await streamError(file, error);
    }
    if (first) throw emptyFile(file);
    await this.#sink!.endFile?.(file);
  }

  finish(): RawSplit {
    const { names, features } = this.#layout!;
    const split = this.#sink!.finish();
    if (this.#options.text !== undefined || !features.includes(0) || !['', 'Unnamed: 0'].includes(names[0]!))
      return split;
    const note = `${this.#files[0]!}: the first column is called ${shown(names[0])} and is taken for a feature; if it numbers the rows, as pandas writes them, set \`ignore: [0]\``;
    return { ...split, notes: [...(split.notes ?? []), note] };
  }

  #firstRecord(record: readonly string[]): void {
    const header = this.#options.header ?? true;
    if (this.#layout === undefined) {
      this.#layout = layoutOf(record, this.#options, this.#where());
      const names = this.#layout.features.map((column) => this.#layout!.names[column]!);
      const labels = this.#layout.labels.map((column) => this.#layout!.names[column]!);
      const { text } = this.#options;
      this.#sink =
        text === undefined
          ? new TableSink(this.#file, names, this.#options, this.#expectedRows, labels)
          : this.#sinkOfTexts!(this.#file, names, text, this.#options, this.#expectedRows, labels);
    } else if (header && record.some((name, i) => name.trim() !== this.#layout!.names[i])) {
      const at = record.findIndex((name, i) => name.trim() !== this.#layout!.names[i]);
      throw new UserError(
        `${this.#where()}: column ${at} is called ${shown(record[at])}, in ${this.#files[0]!} ${shown(this.#layout.names[at])}`,
        'All files of a split need the same columns in the same order.',
      );
    }
    this.#sink!.beginFile?.(this.#file);
    if (!header) this.#row(record);
  }

  #row(record: readonly string[]): void {
    const { names, labels, features } = this.#layout!;
    const sink = this.#sink!;
    if (record.length !== names.length) {
      throw new UserError(
        `${this.#where()}: expected ${names.length} columns, received ${record.length}`,
        record.length === 1 && names.length > 1
          ? 'Check the delimiter, and remove lines that are not data.'
          : 'Correct the row; a value that holds the delimiter must be quoted.',
      );
    }
    sink.begin();
    // After a header that ends with a line feed, lines may still end with carriage return and line feed.
    const last = record.at(-1)!;
    const row = last.endsWith('\r') ? record.with(-1, last.slice(0, -1)) : record;
    for (let i = 0; i < features.length; i++) sink.setText(i, row[features[i]!]!, this.#where);
    sink.end(
      labels.map((column) => row[column]!),
      this.#where,
    );
  }

  #syntaxError(error: CsvError): UserError {
    const line = typeof error['lines'] === 'number' ? error['lines'] : this.#line + 1;
    if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
      return new UserError(
        `${this.#file}:${this.#line + 1}: a quote that opens at or after this line is never closed`,
        'Close it, or double quotes that belong to the text ("").',
      );
    }
    return new UserError(
      `${this.#file}:${line}: not valid CSV: ${error.message}`,
      'Quote whole values ("a ""b"" c") and set `delimiter` if it is not a comma.',
    );
  }
}

/** Line number at the start of a record: csv-parse reports the line of its end, and counts a quoted line break of two characters twice. */
class LineCounter {
  #next = 1;
  #empty = 0;
  #seen = 0;

  startOf(record: readonly string[], info: { lines: number; empty_lines: number }): number {
    const start = this.#next + info.empty_lines - this.#empty;
    const broken = info.lines - this.#seen > 1 + info.empty_lines - this.#empty;
    this.#next =
      start + 1 + (broken ? record.reduce((sum, field) => sum + field.split(/\r\n|\r|\n/).length - 1, 0) : 0);
    this.#empty = info.empty_lines;
    this.#seen = info.lines;
    return start;
  }
}

/** YAML reads \t as a backslash and a t unless it stands in double quotes. */
function delimiterOf({ delimiter = ',' }: CsvOptions): string {
  return delimiter === '\\t' ? '\t' : delimiter;
}

/** The usual delimiter in a header that was not separated. */
function otherDelimiter(names: readonly string[]): string | undefined {
  return names.length > 1 ? undefined : [';', '\t', '|', ','].find((candidate) => names[0]!.includes(candidate));
}

function layoutOf(record: readonly string[], options: CsvOptions, where: string): Layout {
  const header = options.header ?? true;
  const names = record.map((name, i) => (header ? name.trim() : String(i)));
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) {
    throw new UserError(
      `${where}: two columns are called ${shown(twice)}`,
      'If the first line holds data and no names, set `header: false`; else rename one.',
    );
  }
  const wanted = [options.label ?? (header ? 'label' : -1)].flat();
  // Label columns are no features even if labels are not read; they may be missing then.
  const labelColumns = options.withoutLabels === true ? wanted.filter((column) => isThere(column, names)) : wanted;
  const labels = labelColumns.map((column) => columnOf(column, names, header, where, 'label'));
  const isRead = options.withoutLabels !== true;
  if (options.text !== undefined) {
    const { columns } = options.text;
    return {
      names,
      labels: isRead ? labels : [],
      features: columns.map((column) => columnOf(column, names, header, where, 'text.column')),
    };
  }
  const left = new Set((options.ignore ?? []).map((column) => columnOf(column, names, header, where, 'ignore')));
  const features = names.map((_, i) => i).filter((i) => !labels.includes(i) && !left.has(i));
  return { names, labels: options.withoutLabels === true ? [] : labels, features };
}

function isThere(column: string | number, names: readonly string[]): boolean {
  return typeof column === 'number' || names.includes(column);
}

function columnOf(
  wanted: string | number,
  names: readonly string[],
  header: boolean,
  where: string,
  key: string,
): number {
  const index = typeof wanted === 'number' ? (wanted < 0 ? names.length + wanted : wanted) : names.indexOf(wanted);
  if (Number.isInteger(index) && index >= 0 && index < names.length) return index;
  if (typeof wanted === 'number') {
    throw new UserError(
      `${where}: ${key}: no column ${wanted}, the file has ${names.length} columns (0 to ${names.length - 1})`,
      'Count columns from 0; check the delimiter if the number of columns looks wrong.',
    );
  }
  if (!header) {
    throw new UserError(
      `${where}: ${key}: ${shown(wanted)} is a name, but \`header: false\` says that columns have none`,
      'Give the index of the column, or remove `header: false`.',
    );
  }
  const delimiter = otherDelimiter(names);
  if (delimiter !== undefined) {
    throw new UserError(
      `${where}: ${key}: no column ${shown(wanted)}, the whole line is one column: ${shown(names[0])}`,
      `Set \`delimiter: ${JSON.stringify(delimiter)}\` if that separates its values.`,
    );
  }
  const near = nearest(wanted, names);
  const isData = names.some((name) => name.trim() !== '' && Number.isFinite(Number(name)));
  const some = names.length <= 8 ? names.join(', ') : `${names.slice(0, 8).join(', ')}, …`;
  throw new UserError(
    `${where}: ${key}: no column ${shown(wanted)}, the file has ${names.length}: ${some}`,
    near === undefined
      ? `Set \`${key}\` to the name or the index of a column${isData ? ', and `header: false` if the first line holds data' : ''}.`
      : `Did you mean ${shown(near)}? Else set \`${key}\` to the name or the index of a column.`,
  );
}
