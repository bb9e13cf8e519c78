import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as zlib from 'node:zlib';
import { loadDataset } from '../../../../src/data/load.ts';
import { readParquet } from '../../../../src/data/formats/parquet/parquet.ts';
import type { ParquetOptions } from '../../../../src/data/formats/parquet/parquet.ts';
import { openText } from '../../../../src/data/text/open.ts';
import { temporaryFolder, userError } from '../../support.ts';

const folder = temporaryFolder();
/** Written by PyArrow 26 and Pillow; see fixtures/README.md. */
const fixture = (name: string) => path.resolve('test/data/fixtures', `${name}.parquet`);
const read = (name: string, options: ParquetOptions = {}) => readParquet(fixture(name), options);

describe('Parquet', () => {
  it("reads Hugging Face's image layout over row groups, with the class names from the metadata", async () => {
    const split = await read('images');
    expect(split.sampleShape).toEqual([3, 4, 1]);
    expect(split.classNames).toEqual(['cat', 'dog', 'owl']);
    const pixels = Array.from({ length: 6 }, (_, row) => [...split.samples.subarray(row * 12, row * 12 + 3)]);
    expect(pixels).toEqual([0, 10, 20, 30, 40, 50].map((value) => [value, 255, value]));
    expect(split.labels).toEqual({ kind: 'index', values: Int32Array.of(0, 1, 2, 0, 1, 2) });
  });

  it('takes a ClassLabel for a position where the names are numbers in another order', async () => {
    const bytes = await readFile(fixture('images'));
    const names = Buffer.from(bytes.toString('latin1').replace('"cat", "dog", "owl"', '"10", "2", "1"     '), 'latin1');
    const train = await folder.file('numbers.parquet', names);
    const { train: split, classNames } = await loadDataset({ type: 'parquet', train, validation: 3 });
    expect(classNames).toEqual(['10', '2', '1']);
    expect([...split.targets]).toEqual([...split.ids].map((id) => id % 3));
  });

  it('takes a ClassLabel by its name where other files or the recipe have the names in another order', async () => {
    const bytes = (await readFile(fixture('images'))).toString('latin1');
    const named = (name: string, names: string) =>
      folder.file(`${name}.parquet`, Buffer.from(bytes.replace('"cat", "dog", "owl"', names), 'latin1'));
    const turned = await named('turned', '"owl", "cat", "dog"');
    const { test } = await loadDataset({ type: 'parquet', train: fixture('images'), test: turned, validation: 3 });
    expect([...test!.targets]).toEqual([2, 0, 1, 2, 0, 1]);
    const classes = ['owl', 'cat', 'dog'];
    const { train } = await loadDataset({ type: 'parquet', train: fixture('images'), classes, validation: 3 });
    expect([...train.targets]).toEqual([...train.ids].map((id) => (id + 1) % 3));
    const other = await named('other', '"owl", "cat", "fox"');
    const unknown = await userError(loadDataset({ type: 'parquet', train: fixture('images'), test: other }));
    expect(unknown.message).toMatch(/other\.parquet: sample 2: unknown label "fox", expected one of 3 classes: cat,/);
    // Other words at the same places are other names of the same classes, for files that have the same ones.
    for (const declared of [
      ['kitten', 'puppy', 'chick'],
      ['cat', 'puppy', 'owl'],
    ]) {
      // prettier-ignore
      const renaming = { type: 'parquet', train: fixture('images'), classes: declared } as const;
      const same = await loadDataset({ ...renaming, test: fixture('images'), validation: 3 });
      expect(same.classNames).toEqual(declared);
      expect([...same.test!.targets]).toEqual([0, 1, 2, 0, 1, 2]);
      expect((await userError(loadDataset({ ...renaming, test: other }))).message).toMatch(
        /other\.parquet: sample \d: unknown label/,
      );
    }
    const moved = { type: 'parquet', train: fixture('images'), classes: ['dog', 'cat', 'x'] } as const;
    expect((await userError(loadDataset(moved))).message).toMatch(/unknown label "owl"/);
    const both = await userError(readParquet([fixture('images'), turned], {}));
    expect(both.message).toMatch(
      /turned\.parquet: its class names are "owl, cat, dog", those of .*images\.parquet "cat, dog, owl"$/,
    );
  });

  it('keeps a sample without a label apart from the first class', async () => {
    const split = await read('unlabelled');
    expect(split.classNames).toEqual(['cat', 'dog', 'owl']);
    expect(split.labels).toEqual({ kind: 'index', values: Int32Array.of(1, -1, 0, 2, -1, 1) });
  });

  it('reads lists of words and of their tags, be those names or numbers', async () => {
    const words: string[][] = [];
    const text = { ...(await openText({ column: 'tokens', length: 16 })), onText: (_: number, all: readonly string[]) => words.push([...all]) }; // prettier-ignore
    const { labels } = await read('words', { task: 'tagging', label: 'tags', text });
    expect(words).toEqual([['Ada', 'lives'], ['in', 'New', 'York'], ['Oslo']]);
    expect(labels).toMatchObject({ kind: 'name', names: ['B-PER|O', 'O|B-LOC|I-LOC', 'B-LOC'] });
    const numbers = await read('words', { task: 'tagging', label: 'numbers', text });
    expect(numbers.labels).toMatchObject({ names: ['1|0', '0|2|3', '2'] });
  });

  it("leaves out the index that pandas wrote, as pandas' own reader does", async () => {
    expect((await read('filtered', { missing: 'zero' })).columns).toEqual(['a', 'n']);
    expect((await read('filtered', { features: ['a', '__index_level_0__'] })).columns).toHaveLength(2);
  });

  it.each([
    // The number of values in a page, and what a schema says of the children of an element.
    ['a page with fewer rows than its table says', 142, 0, /: not a readable Parquet file: "label" has 0 of 2 rows$/],
    ['an element with -1 children', 223, 1, /: label: no column "label", the file has: embedding, list$/],
  ])('refuses %s', async (_name, at, value, message) => {
    const bytes = await readFile(fixture('lists'));
    bytes[at] = value;
    const error = await userError(readParquet(await folder.file('damaged.parquet', bytes), {}));
    expect(error.message).toMatch(message);
  });

  it('refuses NaN as a label', async () => {
    const { message } = await userError(read('filtered', { label: 'n', features: 'a' }));
    expect(message).toMatch(/filtered\.parquet: row 1: the label is NaN$/);
  });

  it('scales images and reads grey ones as colour when asked', async () => {
    expect((await read('images', { resize: [2, 2], channels: 3 })).sampleShape).toEqual([2, 2, 3]);
  });

  it('reads several files as one', async () => {
    const split = await readParquet([fixture('images'), fixture('images')], {});
    expect(split.samples.length).toBe(144);
    expect(split.labels.values).toHaveLength(12);
  });

  it('reads numeric columns, gzip compressed, with a label of words', async () => {
    const split = await read('table', { label: 'kind', missing: 'zero' });
    expect(split.columns).toEqual(['a', 'b']);
    expect([...split.samples]).toEqual([1.5, 1, 2.5, 2, 0, 3, 4.5, 4]);
    expect(split.labels).toMatchObject({ names: ['x', 'y', 'z'], values: Int32Array.of(0, 1, 0, 2) });
    expect((await read('table', { label: 'kind', features: ['b'] })).columns).toEqual(['b']);
  });

  it('reads one column of lists', async () => {
    const split = await read('lists');
    expect(split.sampleShape).toEqual([3]);
    expect([...split.samples]).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await read('lists', { shape: [3, 1] })).sampleShape).toEqual([3, 1]);
  });

  it('reads zstd where Node can, and says so where it cannot', async () => {
    if ('zstdDecompressSync' in zlib) {
      const { samples } = await read('table-zstd', { label: 'kind', features: ['b'] });
      expect([...samples]).toEqual([1, 2, 3, 4]);
    } else {
      const { message, hint } = await userError(read('table-zstd', { label: 'kind', features: ['b'] }));
      expect(message).toMatch(/table-zstd\.parquet: compressed with ZSTD, which this Node [\d.]+ cannot read$/);
      expect(hint).toMatch(/22\.15/);
    }
  });
});

describe('broken Parquet', () => {
  it.each<[string, string, ParquetOptions, RegExp, RegExp]>([
    [
      'no such label',
      'table',
      { label: 'knd' },
      /table\.parquet: label: no column "knd", the file has: a, b, kind$/,
      /"kind"/,
    ],
    [
      'no such feature',
      'table',
      { label: 'kind', features: ['a', 'bb'] },
      /features: no column "bb"/,
      /Did you mean "b"/,
    ],
    ['no such image', 'images', { image: 'imagge' }, /image: no column "imagge"/, /Did you mean "image"\?/],
    [
      'a null',
      'table',
      { label: 'kind' },
      /table\.parquet: row 2: column "a": missing value \(null\)$/,
      /`missing: mean`/,
    ],
    [
      'words as features',
      'table',
      { label: 'a' },
      /row 0: column "kind": expected a number, received "x"$/,
      /`features`/,
    ],
    [
      'numbers as images',
      'table',
      { label: 'kind', image: 'b' },
      /row 0: column "b" holds no image bytes$/,
      /embedded/,
    ],
  ])('%s', async (_, name, options, message, hint) => {
    const error = await userError(read(name, options));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it('a corrupt image, by row', async () => {
    const bytes = await readFile(fixture('images'));
    bytes[bytes.indexOf('IHDR')] = 0;
    const file = await folder.file('corrupt.parquet', bytes);
    const { message } = await userError(readParquet(file, {}));
    expect(message).toMatch(/corrupt\.parquet: row 0: cannot decode the image: /);
  });

  it('a truncated file, another format, an empty file, no file', async () => {
    const bytes = await readFile(fixture('table'));
    const cut = await userError(readParquet(await folder.file('cut.parquet', bytes.subarray(0, 500)), {}));
    expect(cut.message).toMatch(
      /cut\.parquet: truncated: received 500 bytes, which end with f8 3f 11 11, expected 50 41 .*PAR1/,
    );
    expect(cut.hint).toMatch(/compare its size/);
    const text = await userError(readParquet(await folder.file('text.parquet', 'a,label\n1,x\n'), {}));
    expect(text.message).toMatch(/text\.parquet: not a readable Parquet file/);
    const empty = await userError(readParquet(await folder.file('empty.parquet', ''), {}));
    expect(empty.message).toMatch(/the file is empty \(0 bytes\)$/);
    const missing = await userError(readParquet(path.join(folder.path, 'no.parquet'), {}));
    expect(missing.message).toMatch(/no\.parquet: cannot read it: no such file or folder$/);
  });
});

it('reads days and timestamps of any unit as dates in UTC', async () => {
  const { train } = await loadDataset({ type: 'parquet', train: fixture('dates'), missing: 'zero', validation: 1 });
  const days = ['days', 'month', 'day', 'weekday'];
  const [day, ...times] = train.columns!;
  expect(day).toMatchObject({ name: 'day', date: days });
  for (const column of times) expect(column.date).toEqual([...days, 'hour']);
  const rows = new Map(Array.from({ length: train.count }, (_, i) => [train.ids[i]!, [...train.samples.subarray(24 * i, 24 * i + 24)]])); // prettier-ignore
  const clock = (at: readonly number[], zoned: readonly number[]) => [...at, ...zoned, ...at, ...at];
  const expected = [
    [19782, 2, 29, 3, ...clock([19782, 2, 29, 3, 12.75], [19782, 2, 29, 3, 10.75])],
    [
      0,
      0,
      0,
      0,
      ...clock([-1, 12, 31, 2, Math.fround(23 + 0.5 / 3600)], [-1, 12, 31, 2, Math.fround(21 + 0.5 / 3600)]),
    ],
    [-1, 12, 31, 2, ...clock([10957, 1, 1, 5, 0], [10956, 12, 31, 4, 22])],
    [10957, 1, 1, 5, ...clock([-25508, 3, 1, 3, 6], [-25508, 3, 1, 3, 4])],
  ];
  for (const [id, row] of rows) expect(row).toEqual(expected[id]);
  expect(rows.size).toBe(3);
  const words = { type: 'parquet', train: fixture('dates'), missing: 'zero', categorical: ['day'] } as const;
  expect((await userError(loadDataset(words))).message).toMatch(/column "day": expected a word, received the date 2024-02-29T00:00:00\.000Z$/); // prettier-ignore
});
