import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parquetMetadata } from 'hyparquet';
import type { FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { readParquet } from '../../../../src/data/readers/parquet/parquet.ts';
import { refuseFalseTables } from '../../../../src/data/readers/parquet/pages.ts';
import { temporaryFolder, userError } from '../../support.ts';

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
