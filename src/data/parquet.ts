import { parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, Compressors, FileMetaData, ParquetScan } from 'hyparquet';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { UserError, nearest, shown } from '../base/errors.ts';
import { asUserError } from '../base/files.ts';
import { taskRow } from '../recipe/task.ts';
import type { Files, ParquetConfig } from './config.ts';
import type { RawLabels, RawSplit } from './dataset.ts';
import { ImageSink } from './images.ts';
import type { PicturesGiven } from './images.ts';
import { LabelNames, listedText } from './labels.ts';
import { huggingFaceNames, pandasIndexes } from './parquet-metadata.ts';
import { emptyFile, fileList, hex } from './source.ts';
import { LABELS } from './supported.ts';
import type { LabelsRead } from './labelled.ts';
import { noLabels } from './labelled.ts';
import { TableSink } from './table.ts';
import type { OpenText } from './text/open.ts';
import { textSink } from './text/word-sink.ts';
import type { RowSink } from './text/sink.ts';

export type ParquetOptions = Pick<
  ParquetConfig,
  'image' | 'features' | 'label' | 'missing' | 'categorical' | 'shape' | 'resize' | 'channels' | 'task' | 'separator'
> &
  PicturesGiven &
  LabelsRead & { readonly text?: OpenText | undefined };

/** Rows decoded at a time when they hold images. */
const ROWS_AT_ONCE = 256;

interface OpenParquet {
  readonly file: string;
  readonly handle: FileHandle;
  readonly metadata: FileMetaData;
  readonly scan: ParquetScan;
  readonly columns: readonly string[];
}

/** Parquet through hyparquet, row group by row group: numeric columns, lists, or Hugging Face's `{image: {bytes}, label}`. */
export async function readParquet(files: Files, options: ParquetOptions): Promise<RawSplit> {
  const opened: OpenParquet[] = [];
  try {
    for (const file of fileList(files)) opened.push(await openParquet(file));
    const { columns } = opened[0]!;
    const image =
      options.image ??
      (options.features === undefined && options.text === undefined
        ? ['image', 'img'].find((name) => columns.includes(name))
        : undefined);
    const split = await (image === undefined ? readTable(opened, options) : readImages(opened, image, options));
    const classNames = huggingFaceNames(opened[0]!.metadata, [options.label ?? 'label'].flat()[0]!);
    return classNames === undefined ? split : { ...split, classNames, labels: asIndexes(split.labels) };
  } finally {
    await Promise.all(opened.map(({ handle }) => handle.close()));
  }
}

/** A ClassLabel is the position of its name, even where names are numbers: in [0, 1, 10, 2] the label 2 means "10". */
function asIndexes(labels: RawLabels): RawLabels {
  if (labels.kind !== 'name' || !labels.names.every((name) => /^-?\d+$/.test(name))) return labels;
  const indexes = labels.names.map(Number);
  // -1 stands for no label here too.
  return { kind: 'index', values: labels.values.map((value) => (value === -1 ? -1 : indexes[value]!)) };
}

async function readImages(opened: readonly OpenParquet[], image: string, options: ParquetOptions): Promise<RawSplit> {
  const sink = new ImageSink(options, countRows(opened), options);
  const labels = new LabelNames();
  for (const source of opened) {
    const imageColumn = column(source, image, 'image');
    const labelColumn = options.withoutLabels === true ? undefined : column(source, oneLabel(options), 'label');
    for (const range of source.scan.ranges) {
      for (let rowStart = range.rowStart; rowStart < range.rowEnd; rowStart += ROWS_AT_ONCE) {
        const rows = { rowStart, rowEnd: Math.min(rowStart + ROWS_AT_ONCE, range.rowEnd) };
        const where = (i: number) => `${source.file}: row ${rowStart + i}`;
        const images = await readColumn(source, imageColumn, rows);
        const names = labelColumn === undefined ? [] : await readColumn(source, labelColumn, rows);
        names.forEach((name, i) => pushLabel(labels, labelText(name, where(i), options), () => where(i)));
        await sink.add(images.map((value, i) => ({ where: where(i), input: imageBytes(value, where(i), image) })));
      }
    }
  }
  if (sink.shape === undefined) throw noRows(opened[0]!.file);
  const labelsRead = options.withoutLabels === true ? noLabels(countRows(opened)) : labels.labels();
  const read = { sampleShape: sink.shape, ...sink.held(opened[0]!.file), originals: sink.originals() };
  const labelNames = options.withoutLabels === true ? [] : [oneLabel(options)];
  return { source: opened[0]!.file, ...read, labels: labelsRead, labelNames };
}

async function readTable(opened: readonly OpenParquet[], options: ParquetOptions): Promise<RawSplit> {
  const wanted = [options.label ?? 'label'].flat();
  const isRead = options.withoutLabels !== true;
  const named = isRead ? wanted.map((name) => column(opened[0]!, name, 'label')) : wanted;
  const labelled = isRead ? named : [];
  const indexes = pandasIndexes(opened[0]!.metadata);
  const { text } = options;
  const given =
    text?.columns.map(String) ?? (typeof options.features === 'string' ? [options.features] : options.features);
  const features = given ?? opened[0]!.columns.filter((name) => !named.includes(name) && !indexes.has(name));
  let sink: RowSink | undefined;
  for (const source of opened) {
    const names = features.map((name) => column(source, name, text === undefined ? 'features' : 'text.column'));
    for (const range of source.scan.ranges) {
      const data = await Promise.all(names.map((name) => readColumn(source, name, range)));
      const labels = await Promise.all(
        labelled.map((name) => readColumn(source, column(source, name, 'label'), range)),
      );
      for (let i = 0; i < range.rowEnd - range.rowStart; i++) {
        const where = () => `${source.file}: row ${range.rowStart + i}`;
        const row = data.length === 1 && text === undefined ? asList(data[0]![i]) : data.map((values) => values[i]);
        const { file } = opened[0]!;
        sink ??=
          text === undefined
            ? new TableSink(file, columnNames(features, row.length), options, countRows(opened), labelled)
            : textSink(file, features, text, options, countRows(opened), labelled);
        if (row.length !== sink.columns.length) {
          throw new UserError(
            `${where()}: ${shown(features[0])} has ${row.length} values, in the first row ${sink.columns.length}`,
            'Every sample needs the same number of features.',
          );
        }
        sink.begin();
        for (let c = 0; c < row.length; c++) sink.setValue(c, row[c], where);
        sink.end(
          labels.map((of) => labelText(of[i], where(), options)),
          where,
        );
      }
    }
  }
  if (sink === undefined) throw noRows(opened[0]!.file);
  return sink.finish();
}

async function openParquet(file: string): Promise<OpenParquet> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const buffer = bufferOf(handle, (await handle.stat()).size);
    if (buffer.byteLength === 0) throw emptyFile(file);
    await refuseTruncated(file, buffer);
    // Marking columns of places goes on for ever where a damaged schema has a negative number of children.
    const metadata = await parquetMetadataAsync(buffer, { geoparquet: false });
    const scan = await parquetScan({ file: buffer, metadata, utf8: false, compressors: COMPRESSORS });
    const columns: unknown[] = parquetSchema(metadata).children.map((child) => child.element.name);
    if (!columns.every((name) => typeof name === 'string')) throw new Error('a column has no name');
    if (metadata.num_rows === 0n) throw noRows(file);
    return { file, handle, metadata, scan, columns };
  } catch (error) {
    await handle?.close();
    throw parquetError(file, error);
  }
}

/** Its tables are at its end, so of a truncated file nothing tells how long it was. */
async function refuseTruncated(file: string, buffer: AsyncBuffer): Promise<void> {
  const [start, end] = [new Uint8Array(await buffer.slice(0, 4)), new Uint8Array(await buffer.slice(-4))];
  const mark = hex(new TextEncoder().encode('PAR1'));
  if (hex(start) !== mark || hex(end) === mark) return;
  throw new UserError(
    `${file}: truncated: received ${buffer.byteLength} bytes, which end with ${hex(end)}, expected ${mark} (PAR1) at the end`,
    'Get the file again and compare its size with the source.',
  );
}

function noRows(file: string): UserError {
  return new UserError(`${file}: no rows of data`, 'Point the recipe at a file with samples.');
}

function bufferOf(handle: FileHandle, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const from = start < 0 ? Math.max(0, byteLength + start) : start;
      const bytes = new Uint8Array(Math.max(0, Math.min(end, byteLength) - from));
      await handle.read(bytes, 0, bytes.length, from);
      return bytes.buffer;
    },
  };
}

/** hyparquet reads snappy itself; Node knows zstd from 22.15 on. */
const zstd = (zlib as { zstdDecompressSync?: (input: Uint8Array) => Uint8Array }).zstdDecompressSync;
const COMPRESSORS: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ...(zstd === undefined ? {} : { ZSTD: (input: Uint8Array) => zstd(input) }),
};

async function readColumn(
  source: OpenParquet,
  name: string,
  { rowStart, rowEnd }: { rowStart: number; rowEnd: number },
): Promise<unknown[]> {
  try {
    const values: ArrayLike<unknown> = await source.scan.readColumn({ column: name, rowStart, rowEnd });
    // A damaged page may hold fewer than its row group says.
    if (values.length !== rowEnd - rowStart)
      throw new Error(`${shown(name)} has ${values.length} of ${rowEnd - rowStart} rows`);
    return Array.from(values);
  } catch (error) {
    throw parquetError(source.file, error);
  }
}

function parquetError(file: string, error: unknown): unknown {
  const system = asUserError(error, file, 'read');
  if (system instanceof UserError) return system;
  const message = error instanceof Error ? error.message : String(error);
  // A TypeError or RangeError is about the reader's own variables, which tell nobody what is wrong with the file; likewise a
  // message about something that its table has no name for.
  const isSaid = error instanceof Error && error.name === 'Error' && !message.includes('undefined');
  const codec = /unsupported compression codec: (?!undefined)(\w+)/.exec(message)?.[1];
  if (codec !== undefined) {
    const node = codec === 'ZSTD' ? `, which this Node ${process.versions.node} cannot read` : ', which is not read';
    return new UserError(
      `${file}: compressed with ${codec}${node}`,
      codec === 'ZSTD'
        ? 'Use Node 22.15 or newer, or write the file with compression="snappy".'
        : 'Write the file with compression="snappy".',
    );
  }
  return new UserError(
    `${file}: not a readable Parquet file: ${isSaid ? message : 'what it holds is not what its own tables say'}`,
    'Get the file again; it may be truncated or of another format.',
    {
      cause: error,
    },
  );
}

function column({ file, columns }: OpenParquet, name: string, option: string): string {
  if (columns.includes(name)) return name;
  const near = nearest(name, columns);
  throw new UserError(
    `${file}: ${option}: no column ${shown(name)}, the file has: ${columns.join(', ')}`,
    `${near === undefined ? '' : `Did you mean ${shown(near)}? `}Set \`${option}\` to the name of a column.`,
  );
}

function columnNames(features: readonly string[], width: number): readonly string[] {
  return features.length === 1 && width > 1
    ? Array.from({ length: width }, (_, i) => `${features[0]!}[${i}]`)
    : features;
}

function asList(value: unknown): ArrayLike<unknown> {
  if (Array.isArray(value))
    return value.some(Array.isArray) ? (value.flat(Infinity) as unknown[]) : (value as unknown[]);
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? (value as unknown as ArrayLike<unknown>) : [value];
}

/** Pictures have one column of labels. */
function oneLabel({ label = 'label' }: ParquetOptions): string {
  if (typeof label === 'string') return label;
  throw new UserError(
    `label: expected one column beside pictures, received ${label.join(', ')}`,
    'Name one column; it may hold a list of numbers to predict.',
  );
}

function pushLabel(labels: LabelNames, label: string | undefined, where: () => string): void {
  if (label === undefined) labels.pushNone(where);
  else labels.push(label, where);
}

/** Undefined for a sample without a label. */
function labelText(value: unknown, where: string, { task, separator = '|' }: ParquetOptions): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value) && !taskRow(task).hasClasses) return listedText(value, separator, () => where);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (
    typeof value === 'string' ||
    (typeof value === 'number' && !Number.isNaN(value)) ||
    typeof value === 'bigint' ||
    typeof value === 'boolean'
  )
    return String(value);
  throw new UserError(`${where}: the label is ${Number.isNaN(value) ? 'NaN' : shown(value)}`, LABELS);
}

function imageBytes(value: unknown, where: string, name: string): Uint8Array {
  const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null)?.bytes;
  if (bytes instanceof Uint8Array) return bytes;
  throw new UserError(
    `${where}: column ${shown(name)} holds no image bytes`,
    'Store images as encoded bytes, or as {bytes, path} with the bytes embedded.',
  );
}

function countRows(opened: readonly OpenParquet[]): number {
  return opened.reduce((sum, { metadata }) => sum + Number(metadata.num_rows), 0);
}
