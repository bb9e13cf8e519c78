import { parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, Compressors, FileMetaData, ParquetScan } from 'hyparquet';
import type { FileHandle } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { UserError, nearest, shown } from '../../../base/errors.ts';
import { hex } from '../../../base/typed-bytes.ts';
import { asUserError, openToRead } from '../../../base/files.ts';
import { refuseFalsePages, refuseFalseTables } from './pages.ts';
import { emptyFile } from '../../readers/source.ts';
import { refuseLongThrift } from './runs.ts';

export interface OpenParquet {
  readonly file: string;
  readonly handle: FileHandle;
  readonly metadata: FileMetaData;
  readonly scan: ParquetScan;
  readonly columns: readonly string[];
  /** Row groups and columns whose pages have been checked. */
  readonly checked: Set<string>;
  readonly buffer: AsyncBuffer;
}

/** Opens a file and reads its metadata; the caller closes the handle. `UserError` for a file that is missing, damaged or without rows. */
export async function openParquet(file: string): Promise<OpenParquet> {
  let handle: FileHandle | undefined;
  try {
    handle = await openToRead(file);
    const buffer = bufferOf(handle, (await handle.stat()).size);
    if (buffer.byteLength === 0) throw emptyFile(file);
    await refuseTruncated(file, buffer);
    const [size] = new Uint32Array(await buffer.slice(-8, -4));
    refuseLongThrift({ view: new DataView(await buffer.slice(-8 - size!, -8)), offset: 0 });
    // `geoparquet: false`: the search for columns of places never ends if a damaged schema has a negative number of children.
    const metadata = await parquetMetadataAsync(buffer, { geoparquet: false });
    refuseFalseTables(metadata);
    // `useOffsetIndex: false`: a page index could lead the reader to pages that were not checked.
    const form = { utf8: false, compressors: COMPRESSORS, useOffsetIndex: false };
    const scan = await parquetScan({ file: buffer, metadata, ...form });
    const columns: unknown[] = parquetSchema(metadata).children.map((child) => child.element.name);
    if (!columns.every((name) => typeof name === 'string')) throw new Error('a column has no name');
    if (metadata.num_rows === 0n) throw noRows(file);
    return { file, handle, metadata, scan, columns, checked: new Set(), buffer };
  } catch (error) {
    await handle?.close();
    throw parquetError(file, error);
  }
}

/** `UserError` for a truncated file. The metadata is at the end, so the original size is unknown. */
async function refuseTruncated(file: string, buffer: AsyncBuffer): Promise<void> {
  const [start, end] = [new Uint8Array(await buffer.slice(0, 4)), new Uint8Array(await buffer.slice(-4))];
  const mark = hex(new TextEncoder().encode('PAR1'));
  if (hex(start) !== mark || hex(end) === mark) return;
  throw new UserError(
    `${file}: truncated: received ${buffer.byteLength} bytes, which end with ${hex(end)}, expected ${mark} (PAR1) at the end`,
    'Get the file again and compare its size with the source.',
  );
}

export function noRows(file: string): UserError {
  return new UserError(`${file}: no rows of data`, 'Point the recipe at a file with samples.');
}

function bufferOf(handle: FileHandle, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, stop = byteLength) {
      const end = stop < 0 ? byteLength + stop : stop;
      const from = start < 0 ? Math.max(0, byteLength + start) : start;
      const bytes = new Uint8Array(Math.max(0, Math.min(end, byteLength) - from));
      await handle.read(bytes, 0, bytes.length, from);
      return bytes.buffer;
    },
  };
}

/** hyparquet decodes snappy itself; Node has zstd since 22.15. */
const zstd = (zlib as { zstdDecompressSync?: (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array })
  .zstdDecompressSync;
const COMPRESSORS: Compressors = {
  GZIP: (input, size) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, size) }),
  BROTLI: (input, size) => zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
  ...(zstd === undefined
    ? {}
    : { ZSTD: (input: Uint8Array, size: number) => zstd(input, { maxOutputLength: Math.max(1, size) }) }),
};

/** Reads values of some rows of a row group. */
export async function readColumn(
  source: OpenParquet,
  name: string,
  { rowStart, rowEnd }: { rowStart: number; rowEnd: number },
): Promise<unknown[]> {
  try {
    const group = groupOf(source, rowStart);
    if (!source.checked.has(`${group} ${name}`))
      await refuseFalsePages({ ...source, compressors: COMPRESSORS }, source.metadata.row_groups[group], name);
    source.checked.add(`${group} ${name}`);
    const values: ArrayLike<unknown> = await source.scan.readColumn({ column: name, rowStart, rowEnd });
    // A damaged page may hold fewer values than its row group claims.
    if (values.length !== rowEnd - rowStart)
      throw new Error(`${shown(name)} has ${values.length} of ${rowEnd - rowStart} rows`);
    return Array.from(values);
  } catch (error) {
    throw parquetError(source.file, error);
  }
}

/** Bytes of a column in the row group that contains a row, before they were compressed. */
export function bytesOfColumn(source: OpenParquet, name: string, row: number): number {
  const { columns = [] } = source.metadata.row_groups[groupOf(source, row)] ?? {};
  const ofColumn = columns.filter(({ meta_data: chunk }) => chunk?.path_in_schema[0] === name);
  return ofColumn.reduce((sum, { meta_data: chunk }) => sum + Number(chunk!.total_uncompressed_size), 0);
}

/** Index of the row group that contains a row. */
function groupOf({ metadata }: OpenParquet, row: number): number {
  let end = 0;
  return metadata.row_groups.findIndex(({ num_rows }) => row < (end += Number(num_rows)));
}

function parquetError(file: string, error: unknown): unknown {
  const system = asUserError(error, file, 'read');
  if (system instanceof UserError) return system;
  const message = error instanceof Error ? error.message : String(error);
  // A TypeError or RangeError concerns the reader's own variables and tells nothing about the file; likewise a message with `undefined` in it.
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
    `${file}: not a readable Parquet file: ${isSaid ? message : 'its content contradicts its metadata'}`,
    'Get the file again; it may be truncated or of another format.',
    {
      cause: error,
    },
  );
}

/** Finds a column by its name. `UserError` lists the existing columns. */
export function column({ file, columns }: OpenParquet, name: string, option: string): string {
  if (columns.includes(name)) return name;
  const near = nearest(name, columns);
  throw new UserError(
    `${file}: ${option}: no column ${shown(name)}, the file has: ${columns.join(', ')}`,
    `${near === undefined ? '' : `Did you mean ${shown(near)}? `}Set \`${option}\` to the name of a column.`,
  );
}
