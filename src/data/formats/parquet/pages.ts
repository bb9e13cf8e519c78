import { getHeapStatistics } from 'node:v8';
import type { AsyncBuffer, ColumnMetaData, Compressors, FileMetaData, RowGroup } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { freeMemory, memoryText } from '../../../base/process/memory.ts';
import { getSchemaPath, isFlatColumn } from 'hyparquet/src/schema.js';
import { refuseFalseRuns, refuseLongThrift } from './runs.ts';

/** Bytes of heap per value, in the arrays of hyparquet and of the caller. */
const PER_VALUE = 40;
/** Maximum values of a column in a row group: V8 ends a process with larger arrays or too little heap. */
const MOST_VALUES = Math.min(2 ** 27 - 64, Math.floor(getHeapStatistics().heap_size_limit / PER_VALUE));
/** Pages and columns above `LARGE_PAGE` bytes are refused if they are compressed by more than `TIMES`: they repeat a single value. */
const [LARGE_PAGE, TIMES] = [2 ** 28, 500];
const [LARGE_COLUMN, PER_BYTE] = [2 ** 24, 20_000];
/** Number of bytes that hold most page headers; statistics of long texts make some longer. */
const HEADERS = [512, 1 << 20];

/** Refuses a file whose metadata are inconsistent about its rows, or claim more values than plausible for its bytes. `Error` with the numbers. */
export function refuseFalseTables({ num_rows: rows, row_groups: groups }: FileMetaData): void {
  const sum = groups.reduce((all, group) => all + group.num_rows, 0n);
  if (sum !== rows) throw new Error(`it is said to hold ${rows} rows, and its row groups ${sum}`);
  for (const { num_rows: own, columns } of groups) {
    if (own < 0n) throw new Error(`a row group is said to hold ${own} rows`);
    for (const { meta_data: chunk } of columns) {
      if (chunk === undefined) continue;
      const [values, bytes] = [Number(chunk.num_values), Number(chunk.total_compressed_size)];
      const name = chunk.path_in_schema.join('.');
      if (values < Number(own)) throw new Error(`column ${name} is said to hold ${values} values for ${own} rows`);
      if (values > MOST_VALUES || (values > LARGE_COLUMN && values > PER_BYTE * bytes))
        throw new Error(
          `column ${name} is said to hold ${values} values in ${bytes} bytes of a row group, expected at most ${MOST_VALUES}, and ${PER_BYTE} for each byte`,
        );
    }
  }
}

/** Refuses pages of a column in a row group that claim more values than the column has, or expand beyond the plausible. */
export async function refuseFalsePages(
  { buffer, metadata, compressors }: Pages,
  group: RowGroup | undefined,
  name: string,
): Promise<void> {
  for (const { meta_data: chunk } of group?.columns ?? [])
    if (chunk?.path_in_schema[0] === name) await checkPages(buffer, chunk, { schema: metadata.schema, compressors });
}

export interface Pages {
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly compressors: Compressors;
}

async function checkPages(
  buffer: AsyncBuffer,
  chunk: ColumnMetaData,
  form: Parameters<typeof refuseFalseRuns>[3],
): Promise<void> {
  const name = chunk.path_in_schema.join('.');
  const [values, bytes] = [Number(chunk.num_values), Number(chunk.total_compressed_size)];
  let at = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const end = Math.min(buffer.byteLength, at + bytes);
  const isFlat = isFlatColumn(getSchemaPath(form.schema, chunk.path_in_schema));
  // hyparquet reads lists up to the end of the column.
  for (let left = values; (left > 0 || !isFlat) && at < end - 1;) {
    const page = await headerAt(buffer, at, end);
    if (page === undefined) throw new Error(`column ${name} has no header of a page at byte ${at}`);
    const { compressed_page_size: packed, uncompressed_page_size: size } = page.header;
    const { num_values: count = 0 } = page.header.data_page_header ?? page.header.data_page_header_v2 ?? {};
    const inDictionary = page.header.dictionary_page_header?.num_values ?? 0;
    if (count < 0 || count > left || inDictionary > values)
      throw new Error(
        `a page of column ${name} is said to hold ${count < 0 ? count : Math.max(count, inDictionary)} values, expected at most ${left}`,
      );
    if (size > freeMemory() || (size > LARGE_PAGE && size > TIMES * packed))
      throw new Error(`a page of column ${name} becomes ${memoryText(size)} of ${packed} bytes`);
    if (page.end + packed > end) throw new Error(`a page of column ${name} ends behind its column`);
    if (page.header.dictionary_page_header === undefined)
      refuseFalseRuns(new Uint8Array(await buffer.slice(page.end, page.end + packed)), page.header, chunk, form);
    left -= count;
    at = page.end + packed;
  }
}

/** Header of a page and the position after it; undefined for an unreadable header, which hyparquet reports. */
async function headerAt(buffer: AsyncBuffer, at: number, end: number) {
  for (const length of HEADERS) {
    const view = new DataView(await buffer.slice(at, Math.min(end, at + length)));
    try {
      refuseLongThrift({ view, offset: 0 });
      const reader = { view, offset: 0 };
      const header = parquetHeader(reader);
      return header.compressed_page_size >= 0 ? { header, end: at + reader.offset } : undefined;
    } catch {
      if (at + length >= end) return undefined;
    }
  }
  return undefined;
}
