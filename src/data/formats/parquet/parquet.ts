import { textsOfAll } from '../../storage/shared-reading.ts';
import type { ReadingProcesses, SharedWork } from '../../storage/shared-reading.ts';
import { UserError, shown } from '../../../base/errors.ts';
import { parsedJson } from '../../../base/json.ts';
import { taskRow } from '../../../recipe/task.ts';
import type { DataFiles, ParquetConfig } from '../../config.ts';
import type { RawLabels, RawSplit } from '../../dataset.ts';
import { ImageSink } from '../../pictures/images.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import { LabelNames, listedText } from '../../splits/label-names.ts';
import { bytesOfColumn, column, noRows, openParquet, readColumn } from './file.ts';
import type { OpenParquet } from './file.ts';
import { fileList } from '../../readers/source.ts';
import { SUPPORTED_LABELS } from '../../readers/supported.ts';
import type { LabelsRead } from '../../readers/labelled.ts';
import { noLabels } from '../../readers/labelled.ts';
import { TableSink, withGroup } from '../../readers/table.ts';
import type { OpenText } from '../../text/open.ts';
import { textSink } from '../../text/word-sink.ts';
import type { RowSink } from '../../text/sink.ts';
import type { FileMetaData } from 'hyparquet';
import type { SampleStart } from '../../readers/guess.ts';
import type { SplitReader } from '../../readers/registry.ts';

export type ParquetOptions = Pick<
  ParquetConfig,
  | 'image'
  | 'features'
  | 'label'
  | 'missing'
  | 'categorical'
  | 'shape'
  | 'resize'
  | 'channels'
  | 'task'
  | 'separator'
  | 'window'
> &
  PicturesGiven &
  LabelsRead & { readonly text?: OpenText | undefined };

/**
 * Least rows that are decoded at a time if they hold images, and the bytes of images that are: hyparquet reads the column of a row group from its
 * start each time.
 */
const [LEAST_ROWS, IMAGE_BYTES] = [256, 2 ** 28];

/** Reads Parquet through hyparquet, row group by row group: numeric columns, lists, or Hugging Face's `{image: {bytes}, label}`. */
export async function readParquet(files: DataFiles, options: ParquetOptions): Promise<RawSplit> {
  const opened: OpenParquet[] = [];
  try {
    for (const file of fileList(files)) opened.push(await openParquet(file));
    const image = pictureColumn(opened[0]!, options);
    const split = await (image === undefined ? readTable(opened, options) : readImages(opened, image, options));
    const classNames = sameNames(opened, [options.label ?? 'label'].flat()[0]!);
    return classNames === undefined ? split : { ...split, classNames, labels: asIndexes(split.labels) };
  } finally {
    await Promise.all(opened.map(({ handle }) => handle.close()));
  }
}

/** Class names in the files. `UserError` for files of a split with different names: a label is an index into them. */
function sameNames(opened: readonly OpenParquet[], label: string): readonly string[] | undefined {
  const [first, ...others] = opened.map(({ metadata }) => huggingFaceNames(metadata, label));
  const other = others.findIndex((names) => names?.join('\0') !== first?.join('\0'));
  if (other === -1) return first;
  const namesText = (names?: readonly string[]): string => (names === undefined ? 'none' : shown(names.join(', ')));
  throw new UserError(
    `${opened[other + 1]!.file}: its class names are ${namesText(others[other])}, those of ${opened[0]!.file} ${namesText(first)}`,
    'A label is an index into the names: write all files of a split with the same names.',
  );
}

/** First rows of a file, without its index columns, and the name of its column of pictures, if any. Bytes that are no pictures are texts, dates are ISO 8601. */
async function firstRows(
  file: string,
  most: number,
): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly image: string | undefined }> {
  const opened = await openParquet(file);
  try {
    const image = pictureColumn(opened, {});
    const indexes = pandasIndexes(opened.metadata);
    const names = opened.columns.filter((name) => !indexes.has(name));
    const rows: Record<string, unknown>[] = [];
    for (const { rowStart, rowEnd } of opened.scan.ranges) {
      const range = { rowStart, rowEnd: Math.min(rowEnd, rowStart + most - rows.length) };
      if (range.rowEnd === rowStart) break;
      const columns = await Promise.all(names.map((name) => readColumn(opened, name, range)));
      for (let i = 0; i < range.rowEnd - rowStart; i++)
        rows.push(
          Object.fromEntries(names.map((name, c) => [name, name === image ? columns[c]![i] : plain(columns[c]![i])])),
        );
    }
    return { rows, image };
  } finally {
    await opened.handle.close();
  }
}

/** A value as JSON would have it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return Array.isArray(value) ? value.map(plain) : value;
}

/** True for a file of pictures, false for a table. Decided by the options, else by the column names. */
async function holdsPictures(files: DataFiles, options: PictureColumn): Promise<boolean> {
  if (options.image !== undefined || isNamed(options)) return options.image !== undefined;
  const opened = await openParquet(fileList(files)[0]!);
  await opened.handle.close();
  return pictureColumn(opened, options) !== undefined;
}

type PictureColumn = Pick<ParquetConfig, 'image' | 'features'> & { readonly text?: unknown };

/** Name of the picture column; undefined for tables and texts. */
function pictureColumn({ columns }: OpenParquet, options: PictureColumn): string | undefined {
  return options.image ?? (isNamed(options) ? undefined : ['image', 'img'].find((name) => columns.includes(name)));
}

function isNamed({ features, text }: PictureColumn): boolean {
  return features !== undefined || text !== undefined;
}

/** Labels of a ClassLabel as indexes, even if its names are numbers: in [0, 1, 10, 2] the label 2 means "10". */
function asIndexes(labels: RawLabels): RawLabels {
  if (labels.kind !== 'name' || !labels.names.every((name) => /^-?\d+$/.test(name))) return labels;
  const indexes = labels.names.map(Number);
  // -1 stands for no label, as in other readers.
  return { kind: 'index', values: labels.values.map((value) => (value === -1 ? -1 : indexes[value]!)) };
}

async function readImages(opened: readonly OpenParquet[], image: string, options: ParquetOptions): Promise<RawSplit> {
  const sink = new ImageSink(options, countRows(opened), options);
  const labels = new LabelNames();
  const isDecoded = await sink.begin(
    opened.map(({ file }) => file),
    `column ${image}`,
  );
  for (const source of opened) {
    const imageColumn = column(source, image, 'image');
    const labelColumn = options.withoutLabels === true ? undefined : column(source, oneLabel(options), 'label');
    for (const range of source.scan.ranges) {
      const perRow = bytesOfColumn(source, imageColumn, range.rowStart) / (range.rowEnd - range.rowStart);
      const atOnce = Math.max(LEAST_ROWS, Math.floor(IMAGE_BYTES / perRow));
      for (let rowStart = range.rowStart; rowStart < range.rowEnd; rowStart += atOnce) {
        const rows = { rowStart, rowEnd: Math.min(rowStart + atOnce, range.rowEnd) };
        const where = (i: number) => `${source.file}: row ${rowStart + i}`;
        const images = isDecoded ? [] : await readColumn(source, imageColumn, rows);
        const names = labelColumn === undefined ? [] : await readColumn(source, labelColumn, rows);
        names.forEach((name, i) => pushLabel(labels, labelText(name, where(i), options), () => where(i)));
        await sink.add(images.map((value, i) => ({ where: where(i), input: imageBytes(value, where(i), image) })));
      }
    }
  }
  if (sink.shape === undefined) throw noRows(opened[0]!.file);
  if (!isDecoded) await sink.finish();
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
  const chosenFeatures =
    text?.columns.map(String) ??
    withGroup(options.features === undefined ? undefined : [options.features].flat(), options);
  const features = chosenFeatures ?? opened[0]!.columns.filter((name) => !named.includes(name) && !indexes.has(name));
  let sink: RowSink | undefined;
  for (const source of opened) {
    const names = features.map((name) => column(source, name, text === undefined ? 'features' : 'text.column'));
    let isNewFile = true;
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
        if (isNewFile) sink.beginFile?.(source.file);
        isNewFile = false;
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

/** Name of the only label column; `UserError` for several. */
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

/** Text of a label; undefined for a sample without one. */
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
  throw new UserError(`${where}: the label is ${Number.isNaN(value) ? 'NaN' : shown(value)}`, SUPPORTED_LABELS);
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

/** Class names from Hugging Face's feature types, which are stored as JSON beside the schema. */
function huggingFaceNames(metadata: FileMetaData, label: string): readonly string[] | undefined {
  const parsed = jsonOf(metadata, 'huggingface') as { info?: { features?: Record<string, { names?: unknown }> } };
  const names = parsed.info?.features?.[label]?.names;
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
}

/** Columns that hold the index of a pandas table: pandas adds them in writing and removes them in reading. */
function pandasIndexes(metadata: FileMetaData): ReadonlySet<string> {
  const { index_columns: columns } = jsonOf(metadata, 'pandas') as { index_columns?: unknown };
  const names: unknown[] = Array.isArray(columns) ? columns : [];
  return new Set(names.filter((name) => typeof name === 'string'));
}

function jsonOf({ key_value_metadata }: FileMetaData, name: string): object {
  try {
    const value: unknown = parsedJson(key_value_metadata?.find(({ key }) => key === name)?.value ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Work that the processes share, which depends on the content. `UserError` if they find different content. */
export async function workOn(config: ParquetConfig, readers: ReadingProcesses): Promise<SharedWork> {
  // A file that cannot be opened is reported by its reader.
  const ownAnswer = await holdsPictures(config.train, config).then(String, () => '');
  const all = textsOfAll(readers, ownAnswer);
  const other = all.findIndex((one) => one !== '' && all[0] !== '' && one !== all[0]);
  if (other === -1) return all.every((one) => one === 'false') ? 'parsed' : 'decoded';
  const [of, first] = [all[other]!, all[0]!].map((one) => (one === 'true' ? 'pictures' : 'a table'));
  throw new UserError(
    `train: process ${other} of ${readers.size} finds ${of!} in it, and process 0 ${first!}`,
    'Give all processes the same files: on several machines, by a shared folder or equal copies.',
  );
}

export const reader: SplitReader<ParquetConfig> = { shares: workOn, read: readParquet };

export const start: SampleStart = async (file, { rows: most }) => {
  const { rows, image } = await firstRows(file, most);
  if (image === undefined) return { rows };
  return { arePictures: true, encoded: rows.map((row) => imageBytes(row[image], file, image)) };
};
