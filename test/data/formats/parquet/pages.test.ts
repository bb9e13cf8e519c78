import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parquetMetadata } from 'hyparquet';
import type { FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { readParquet } from '../../../../src/data/formats/parquet/parquet.ts';
import { refuseFalseTables } from '../../../../src/data/formats/parquet/pages.ts';
import { temporaryFolder, userError } from '../../support.ts';
import { gzipSync } from 'node:zlib';
import { parquetFile, thrift } from '../../../support/parquet.ts';
import type { ParquetColumn, ParquetPage } from '../../../support/parquet.ts';

const folder = temporaryFolder();
const bytes = await readFile(path.resolve('test/data/fixtures/table.parquet'));
const metadata = parquetMetadata(new Uint8Array(bytes).buffer);
const { row_groups: groups, num_rows: rows } = metadata;

/** The tables of a file of one row group, whose first column is said to hold other values, in other bytes. */
function saying(values: bigint, own = values, total_compressed_size = 100n): FileMetaData {
  const [{ meta_data: chunk }] = groups[0]!.columns as [(typeof groups)[0]['columns'][0]];
  const columns = [{ ...groups[0]!.columns[0]!, meta_data: { ...chunk!, num_values: values, total_compressed_size } }];
  return { ...metadata, num_rows: own, row_groups: [{ ...groups[0]!, num_rows: own, columns }] };
}

it.each<[string, FileMetaData, string]>([
  [
    'more rows than its row groups',
    { ...metadata, num_rows: 2n ** 40n },
    `1099511627776 rows, and its row groups ${rows}`,
  ],
  ['fewer than no rows', saying(0n, -1n), 'a row group is said to hold -1 rows'],
  ['fewer values than rows', saying(3n, 4n), 'is said to hold 3 values for 4 rows'],
  ['more values than are held at once', saying(2n ** 40n, 2n, 2n ** 39n), '1099511627776 values in 549755813888 bytes'],
  ['more values than its bytes can mean', saying(100_000_000n), '100000000 values in 100 bytes of a row group'],
])('a file that is said to hold %s is refused with the numbers', (_, tables, message) => {
  expect(() => refuseFalseTables(tables)).toThrow(message);
});

it('takes the tables of files of the usual writers', () => {
  expect(() => refuseFalseTables(metadata)).not.toThrow();
  expect(() => refuseFalseTables(saying(60_000n * 784n, 60_000n, 2n ** 20n))).not.toThrow();
});

it('a page that is said to hold more values than its column is refused before room is made for them', async () => {
  const { meta_data: chunk } = groups[0]!.columns[0]!;
  const at = Number(chunk!.dictionary_page_offset || chunk!.data_page_offset);
  const countIn = (changed: Uint8Array): number | undefined => {
    try {
      const found = parquetHeader({ view: new DataView(changed.buffer, changed.byteOffset + at), offset: 0 });
      return (found.dictionary_page_header ?? found.data_page_header)?.num_values;
    } catch {
      return undefined;
    }
  };
  const count = countIn(bytes)!;
  // A number in one byte, twice as large as what it stands for.
  for (let place = at; place < at + 100; place++) {
    const changed = Uint8Array.from(bytes);
    changed[place] = 126;
    if (bytes[place] !== 2 * count || countIn(changed) !== 63) continue;
    const { message } = await userError(readParquet(await folder.file('false.parquet', changed), { label: 'kind' }));
    expect(message).toMatch(/a page of column \w+ is said to hold 63 values, expected at most \d+$/);
    return;
  }
  throw new Error('no count was found');
});

/** A page of four values: its encoding, and its bytes, packed by gzip where their size is given. */
const page = (encoding: number, body: Uint8Array, size = body.length): ParquetPage => ({
  header: { 1: 0, 2: size, 3: body.length, 5: { 1: 4, 2: encoding, 3: 3, 4: 3 } },
  body,
});
/** The same in the second version of the format, not packed. */
const page2 = (encoding: number, body: Uint8Array, nulls = 0): ParquetPage => ({
  header: { 1: 3, 2: body.length, 3: body.length, 8: { 1: 4, 2: nulls, 3: 4, 4: encoding, 5: 0, 6: 0, 7: false } },
  body,
});
const dictionary: ParquetPage = {
  header: { 1: 2, 2: 8, 3: 8, 7: { 1: 2, 2: 0 } },
  body: Buffer.of(5, 0, 0, 0, 7, 0, 0, 0),
};
const [INT32, INT64, BYTE_ARRAY] = [1, 2, 6];
const [PLAIN, DELTA, DELTA_TEXTS, DICTIONARY, GZIP] = [0, 5, 7, 8, 2];
const values = (type: number, ...pages: ParquetPage[]): ParquetColumn => ({
  ...{ schema: [{ 1: type, 3: 0, 4: 'a' }], path: ['a'], type, values: 4, pages },
});
const read = async (bytes: Uint8Array) =>
  readParquet(await folder.file('made.parquet', bytes), { withoutLabels: true, features: 'a' });

/** A number of Thrift, as lengths of runs have it. */
const varint = (value: number): number[] => thrift(value % 2 === 0 ? value / 2 : -(value + 1) / 2);
const BILLION = varint(2 ** 31 - 2);

it('reads the pages that are written here, in both versions of the format', async () => {
  // Each of two runs: two values of the second in the dictionary, then two of the first.
  const runs = Buffer.of(1, 4, 1, 4, 0);
  for (const own of [page(DICTIONARY, runs), page2(DICTIONARY, runs)])
    expect([...(await read(parquetFile(4, values(INT32, dictionary, own)))).samples]).toEqual([7, 7, 5, 5]);
  const block = Buffer.of(128, 1, 4, 4, 6, 2, 0, 0, 0, 0);
  expect([...(await read(parquetFile(4, values(INT64, page(DELTA, block))))).samples]).toEqual([3, 4, 5, 6]);
});

it('reads a column of nulls alone, whose dictionary is empty', async () => {
  const empty: ParquetPage = { header: { 1: 2, 2: 0, 3: 0, 7: { 1: 0, 2: 0 } }, body: Buffer.of() };
  const nulls = page(DICTIONARY, Buffer.of(2, 0, 0, 0, 8, 0, 0));
  const column = { ...values(INT32, empty, nulls), schema: [{ 1: INT32, 3: 1, 4: 'a' }] };
  const file = await folder.file('nulls.parquet', parquetFile(4, column));
  const split = await readParquet(file, { withoutLabels: true, features: 'a', missing: 'zero' });
  expect([...split.samples]).toEqual([0, 0, 0, 0]);
});

const zeros = (of: number): Buffer => Buffer.of(128, 1, 4, 4, of, 0, 0, 0, 0, 0);
it.each<[string, Uint8Array, RegExp]>([
  [
    'a run of a billion values in a page of four',
    parquetFile(4, values(INT32, dictionary, page(DICTIONARY, Buffer.of(1, ...BILLION, 1)))),
    /a run of 1073741823 values is longer than the 4 that are left of its page$/,
  ],
  [
    'the same in the second version of the format, of values without bytes',
    parquetFile(4, values(INT32, dictionary, page2(DICTIONARY, Buffer.of(0, ...BILLION)))),
    /a run of 1073741823 values is longer than the 4/,
  ],
  [
    'fewer than no nulls',
    parquetFile(4, values(INT32, page2(PLAIN, Buffer.alloc(16), -(2 ** 27)))),
    /nulls of less than no size$/,
  ],
  [
    'levels of a size that its header leaves out, which were looked for without an end',
    parquetFile(4, {
      ...values(INT32, {
        ...page2(PLAIN, Buffer.alloc(16)),
        header: { 1: 3, 2: 16, 3: 16, 8: { 1: 4, 2: 0, 3: 4, 4: PLAIN, 5: 0, 7: false } },
      }),
      schema: [{ 1: INT32, 3: 1, 4: 'a' }],
    }),
    /nulls of less than no size$/,
  ],
  [
    'a number of 300,000 bytes',
    parquetFile(4, {
      ...values(INT64, page(DELTA, gzipSync(Buffer.concat([Buffer.of(128, 1, 4, 4), Buffer.alloc(300_000, 255)])), 300_004)), // prettier-ignore
      codec: GZIP,
    }),
    /a number has more than 10 bytes$/,
  ],
  [
    'a number of a million bytes among its tables',
    Buffer.concat([
      Buffer.from('PAR1\x16'),
      Buffer.alloc(1_000_000, 255),
      Buffer.of(1, 0, 67, 66, 15, 0),
      Buffer.from('PAR1'),
    ]),
    /a number has more than 10 bytes$/,
  ],
  [
    'a text that repeats more of the one before it than there is',
    parquetFile(4, values(BYTE_ARRAY, page(DELTA_TEXTS, Buffer.concat([Buffer.of(128, 1, 4, 4, ...varint(3e9), 0, 0, 0, 0, 0), zeros(0)])))), // prettier-ignore
    /a text repeats 1500000000 bytes of one of 0$/,
  ],
])('refuses %s', async (_, bytes, message) => {
  expect((await userError(read(bytes))).message).toMatch(message);
});
