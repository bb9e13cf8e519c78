import type { ColumnMetaData, Compressors, FileMetaData } from 'hyparquet';
import type { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js';
import { freeMemory, memoryText } from '../../../base/process/memory.ts';

type PageHeader = ReturnType<typeof parquetHeader>;

/** Position in a page, as hyparquet's functions advance it. */
interface Place {
  readonly view: DataView;
  offset: number;
}

/**
 * Refuses a data page with runs longer than the page, with numbers longer than any number, or with texts whose prefix is longer than the text before:
 * hyparquet would allocate memory for all of it. `Error` with the numbers. Encodings:
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
export function refuseFalseRuns(
  bytes: Uint8Array,
  header: PageHeader,
  { path_in_schema: path, codec, type }: ColumnMetaData,
  { schema, compressors }: Pick<FileMetaData, 'schema'> & { readonly compressors: Compressors },
): void {
  const { data_page_header: first, data_page_header_v2: second, uncompressed_page_size: size } = header;
  const { num_values: count, encoding } = first ?? second ?? { num_values: 0, encoding: undefined };
  const schemaPath = getSchemaPath(schema, path);
  const repetitions = getMaxRepetitionLevel(schemaPath);
  const definitions = getMaxDefinitionLevel(schemaPath);
  let [page, values] = [place(bytes), count];
  if (second !== undefined) {
    const { repetition_levels_byte_length: ofRepetitions, definition_levels_byte_length: ofDefinitions } = second;
    // Damaged headers lack some of these, and a comparison with undefined is false.
    if (!(ofRepetitions >= 0 && ofDefinitions >= 0 && second.num_nulls >= 0))
      throw new Error('a page is said to have levels or nulls of less than no size');
    if (repetitions > 0) readLevels(page, repetitions, count, ofRepetitions);
    page.offset = ofRepetitions;
    if (definitions > 0) readLevels(page, definitions, count, ofDefinitions);
    values -= second.num_nulls;
    const body = bytes.subarray(ofRepetitions + ofDefinitions);
    const unpacked = size - ofRepetitions - ofDefinitions;
    page = place(second.is_compressed === false ? body : decompressPage(body, unpacked, codec, compressors));
  } else {
    page = place(decompressPage(bytes, size, codec, compressors));
    if (repetitions > 0) readLevels(page, repetitions, count);
    if (definitions > 0) values = readLevels(page, definitions, count).filter((level) => level === definitions).length;
  }
  if (encoding === 'RLE') refuseLongRuns({ ...page, offset: page.offset + 4 }, 1, values);
  else if (encoding?.endsWith('_DICTIONARY')) {
    const width = page.view.getUint8(page.offset++);
    if (width > 0 || second !== undefined) refuseLongRuns(page, width, values);
  } else if (encoding === 'DELTA_BINARY_PACKED' && type === 'INT64') refuseLongNumbers(page, values);
  else if (encoding === 'DELTA_BYTE_ARRAY') refuseFalsePrefixes(page, values);
}

function place(bytes: Uint8Array): Place {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}

/** Reads levels up to `most`, checking their runs; without `length`, a byte count precedes them. */
function readLevels(page: Place, most: number, count: number, length?: number): number[] {
  const width = 32 - Math.clz32(most);
  refuseLongRuns({ ...page, offset: page.offset + (length === undefined ? 4 : 0) }, width, count);
  const levels = new Array<number>(count);
  readRleBitPackedHybrid(page, width, levels, length);
  return levels;
}

function refuseLongRuns(page: Place, width: number, count: number): void {
  for (let left = count; left > 0;) {
    const head = numberAt(page, 5);
    const isPacked = head % 2 === 1;
    const run = Math.floor(head / 2) * (isPacked ? 8 : 1);
    // Packed values come in groups of eight.
    if (run > left + (isPacked ? 7 : 0) && !(isPacked && width > 0))
      throw new Error(`a run of ${run} values is longer than the ${left} that are left of its page`);
    page.offset += isPacked ? (run * width) / 8 : Math.ceil(width / 8);
    if (page.offset >= page.view.byteLength) return;
    left -= run;
  }
}

/** Walks the blocks of delta-encoded 64-bit numbers: https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC */
function refuseLongNumbers(page: Place, count: number): void {
  const [size, parts] = [numberAt(page, 5), numberAt(page, 5)];
  numberAt(page, 5);
  numberAt(page, 10);
  for (let left = count - 1; left > 0; left -= size) {
    numberAt(page, 10);
    const widths = Array.from({ length: Math.min(parts, 512) }, () => page.view.getUint8(page.offset++));
    if (size === 0 || parts === 0 || parts > 512) throw new Error(`blocks of ${size} numbers in ${parts} parts`);
    const used = widths.slice(0, Math.ceil((left * parts) / size));
    page.offset += used.reduce((bytes, width) => bytes + ((size / parts) * width) / 8, 0);
  }
}

/** Each text may share a prefix with the text before. */
function refuseFalsePrefixes(page: Place, count: number): void {
  const [prefixes, suffixes] = [new Int32Array(count), new Int32Array(count)];
  deltaBinaryUnpack(page, count, prefixes);
  deltaBinaryUnpack(page, count, suffixes);
  let [before, sum] = [0, 0];
  prefixes.forEach((prefix, i) => {
    if (prefix < 0 || suffixes[i]! < 0 || prefix > before)
      throw new Error(`a text repeats ${prefix} bytes of one of ${before}`);
    before = prefix + suffixes[i]!;
    sum += before;
  });
  if (sum > freeMemory()) throw new Error(`the texts of a page become ${memoryText(sum)}`);
}

/** Type numbers of Thrift's compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
const [TRUE, FALSE, BYTE, I16, I64, DOUBLE, BINARY, LIST, STRUCT] = [1, 2, 3, 4, 6, 7, 8, 9, 12];

/** Walks a Thrift struct. `Error` for a number of more bytes than any number needs: hyparquet's time grows with the square of its length. */
export function refuseLongThrift(page: Place, type = STRUCT): void {
  if (page.offset > page.view.byteLength) throw new Error('a table ends within a value');
  if (type === BYTE) page.offset++;
  else if (type >= I16 && type <= I64) numberAt(page, 10);
  else if (type === DOUBLE) page.offset += 8;
  else if (type === BINARY) {
    const size = numberAt(page, 5);
    page.offset += size;
  } else if (type === LIST) {
    const head = page.view.getUint8(page.offset++);
    const count = head >> 4 === 15 ? numberAt(page, 5) : head >> 4;
    const each = head & 15;
    for (let i = 0; i < count; i++) refuseLongThrift(page, each === TRUE || each === FALSE ? BYTE : each);
  } else if (type === STRUCT) {
    for (let head: number; (head = page.view.getUint8(page.offset++)) !== 0;) {
      if (head >> 4 === 0) numberAt(page, 5);
      refuseLongThrift(page, head & 15);
    }
  } else if (type !== TRUE && type !== FALSE) throw new Error(`a value of the unknown type ${type}`);
}

/** Reads a variable-length number of at most `most` bytes. */
function numberAt(page: Place, most: number): number {
  let value = 0;
  for (let i = 0; i < most; i++) {
    const byte = page.view.getUint8(page.offset++);
    value += (byte & 127) * 128 ** i;
    if (byte < 128) return value;
  }
  throw new Error(`a number has more than ${most} bytes`);
}
