// Needs the features jsonl and parquet.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { npyBytes as bytesOf } from '../../../src/data/readers/numpy/npy.ts';
import { seenForm } from '../../../src/tools/init/form.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { npyBytes } from '../../support/npy.ts';

const folder = temporaryFolder();

async function seen(
  type: 'csv' | 'jsonl' | 'conll',
  content: string,
  label: readonly string[] = [],
  isOtherTask = false,
) {
  const file = path.join(folder(), `d.${type}`);
  await writeFile(file, content);
  return seenForm(type, file, { label, isOtherTask });
}

describe('words with a tag each', () => {
  const lines = Array.from({ length: 30 }, (_, i) =>
    JSON.stringify({
      tokens: [`a${i}`, 'b'],
      pos: ['X', 'Y'],
      ner: ['O', i % 3 === 0 ? 'B-PER' : 'B-LOC'],
      mood: i % 2,
    }),
  ).join('\n');

  it('have the tags of which there are fewest, or those that are named', async () => {
    expect((await seen('jsonl', lines)).words).toMatchObject({ column: 'tokens', tags: 'pos' });
    expect((await seen('jsonl', lines, ['ner'])).words).toMatchObject({ column: 'tokens', tags: 'ner' });
  });

  it('are seen behind a million empty lines, which a chunk of a packed file may be', async () => {
    const file = path.join(folder(), 'd.conll.gz');
    await writeFile(file, gzipSync(`Ada NNP B-PER${'\n'.repeat(1_000_000)}`));
    expect((await seenForm('conll', file, { label: [], isOtherTask: false })).words).toMatchObject({ column: 0 });
  });

  it('are not seen where another label or task is named', async () => {
    expect((await seen('jsonl', lines, ['mood'])).words).toBeUndefined();
    expect((await seen('jsonl', lines, [], true)).words).toBeUndefined();
  });

  it('have their columns in lines of words, and the tags in the one that is named', async () => {
    expect((await seen('conll', 'Ada NNP B-PER\n')).words).toEqual({
      column: 0,
      why: 'it has a word on each line, and its tag in the last column',
    });
    expect((await seen('conll', 'Ada NNP B-PER\n', ['1'])).words).toEqual({
      ...{ column: 0, tags: 1 },
      why: 'it has a word on each line, and its tag in column 1',
    });
    const universal = `# sent_id = 1\n1\tAda\t_\tPROPN\t_\t_\t0\t_\t_\t_\n`;
    expect((await seen('conll', universal)).words).toMatchObject({ column: 1, tags: 3 });
    expect((await seen('conll', universal, ['4'])).words).toMatchObject({ column: 1, tags: 4 });
    await expect(seen('conll', universal, ['upos'])).rejects.toThrow(
      '--label: expected the number of a column, from 0, received upos',
    );
  });
});

describe('a table', () => {
  const table = (row: (i: number) => string, head = 'a,b,label', rows = 40): string =>
    [head, ...Array.from({ length: rows }, (_, i) => row(i))].join('\n');

  it.each<[string, string, readonly string[], object]>([
    ['plain', table((i) => `${i},${i / 7},${i % 3}`), [], {}],
    ['with semicolons', table((i) => `${i};${i / 7};yes, ${i % 3}`, 'a;b;label'), [], { delimiter: ';' }],
    ['with tabs', table((i) => `${i}\t${i / 7}\t${i % 3}`, 'a\tb\tlabel'), [], { delimiter: '\t' }],
    ['with lists in a column', table((i) => `${i},${i / 7},x|y`), [], {}],
    ['without a header', table((i) => `${i},${i / 7},k${i % 3}`, '1.5,2,k0'), [], { header: false }],
    ['without a header, with words', table((i) => `k${i % 3},${i},${i % 2}`, 'k0,2,1'), [], { header: false, categorical: [0] }], // prettier-ignore
    ['with numbers for names', table((i) => `${i},${i / 7},k${i % 3}`, '0,1,label'), [], {}],
    ['with numbers for names, of pixels', table((i) => `${i % 3},${i},${i / 7}`, 'target,0,1'), ['target'], {}],
    ['with numbers for names, and a label of words that is said', table((i) => `${i},${i / 7},k${i % 3}`, '0,1,kind'), ['kind'], {}], // prettier-ignore
    ['without a column label', table((i) => `${i},${i / 7},k${i % 3}`, 'a,b,kind'), [], { lastLabel: 'kind' }],
    ['whose label is named', table((i) => `${i},${i / 7},${i % 3}`, 'a,b,kind'), ['a'], {}],
    ['with gaps', table((i) => `${i % 9 === 0 ? 'NA' : i},${i % 7 === 0 ? '' : i / 7},${i % 3}`), [], { missing: 'mean' }], // prettier-ignore
    ['with decimal commas', table((i) => `"${i},5",${i / 7},${i % 3}`), [], {}],
    ['with percent', table((i) => `${i}%,${i / 7},${i % 3}`), [], {}],
    ['with a few slips', table((i) => `${i % 30 === 0 ? 'unknown' : i},${i / 7},${i % 3}`), [], {}],
    ['with names', table((i) => `n${i},${i / 7},${i % 3}`), [], { ignore: ['a'], leftOut: ['a holds 40 different words in the 40 rows that were looked at'] }], // prettier-ignore
    ['with dates', table((i) => `${i % 28}.${i % 12}.2024,${i / 7},${i % 3}`), [], { ignore: ['a'], leftOut: ['a holds dates'] }], // prettier-ignore
    [
      'with days and times',
      table((i) => `2024-03-${10 + (i % 20)} 10:${10 + i}:00,${i / 7},${i % 3}`),
      [],
      { dates: ['a'] },
    ],
    [
      'with few dates of another form',
      table((i) => `${i % 3}/1/2024,${i / 7},${i % 3}`),
      [],
      { ignore: ['a'], leftOut: ['a holds dates'] },
    ],
    [
      'with days of which one has another form',
      table((i) => `2024-03-${i % 20},${i / 7},${i % 3}`),
      [],
      { ignore: ['a'], leftOut: ['a holds dates'] },
    ],
    [
      'with days and gaps',
      table((i) => `${i % 5 === 0 ? '' : '2024-03-10'},${i / 7},${i % 3}`),
      [],
      { dates: ['a'], missing: 'mean' },
    ],
    ['without a header, with a day', table((i) => `2024-03-${10 + (i % 20)},k${i % 3}`, '2024-03-09,k1').replaceAll(',', ',x,'), [], { header: false, dates: ['0'], categorical: [1] }], // prettier-ignore
    ['with kinds', table((i) => `${['red', '', 'blue'][i % 3]!},${i / 7},${i % 3}`), [], { categorical: ['a'], missing: 'mean' }], // prettier-ignore
  ])('%s', async (_name, content, label, form) => {
    const { columns, ...found } = await seen('csv', content, label);
    expect(found).toEqual(form);
    expect(columns).toEqual(expect.arrayContaining([...label]));
    expect(columns).toHaveLength(3);
  });

  it.each<[string, string, object]>([
    [
      'with a time and a group',
      table((i) => `${i % 20},p${i < 20 ? 1 : 2},${i / 7},k${i < 13 ? 1 : 2}`, 'time,person,x,label'),
      { window: { steps: 20, stride: 10, group: 'person', why: 'time rises from row to row' }, ignore: ['time'], leftOut: ['time is the time of a row'] },
    ],
    [
      'with a time of the day and a side',
      table((i) => `2024-03-01 10:${10 + i}:00,${i < 9 ? 'l' : 'r'},${i / 7},${i < 13 ? 1 : 2}`, 'timestamp,side,x,label'),
      { window: { steps: 27, stride: 14, why: 'timestamp rises from row to row' }, ignore: ['timestamp', 'side'], leftOut: ['timestamp is the time of a row', 'side holds words'] },
    ],
    [
      'with a group alone',
      table((i) => `${i % 9},${i < 20 ? 1 : 2},${i < 13 ? 1 : 2}`, 'x,subject_id,label'),
      { window: { steps: 20, stride: 10, group: 'subject_id', why: 'subject_id and label stay the same for many rows' } },
    ],
    ['with a time whose labels change from row to row', table((i) => `${i},${i / 7},${i % 3}`, 'time,x,label'), {}],
    ['with a number for each row, sorted by class', table((i) => `${i},${i / 7},${i < 20 ? 1 : 2}`, 'id,x,label'), {}],
  ])('%s is cut into windows where labels stay the same for many rows', async (_name, content, form) => {
    const found = await seen('csv', content, []);
    expect({ ...found, columns: undefined }).toEqual({ ...form, columns: undefined });
  }); // prettier-ignore

  it('of JSON lines, whose last key is the label where none is called so', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => JSON.stringify({ a: i === 3 ? null : i, kind: i % 2 }));
    expect(await seen('jsonl', lines.join('\n'))).toEqual({
      ...{ columns: ['a', 'kind'], lastLabel: 'kind', missing: 'mean' },
    });
  });

  it('of JSON lines in time is cut into windows, and names its channels', async () => {
    const lines = Array.from({ length: 90 }, (_, i) =>
      JSON.stringify({ time: i, person: i < 45 ? 'a' : 'b', x: i * 0.5, y: -i, label: i % 45 < 20 ? 'walk' : 'sit' }),
    );
    expect(await seen('jsonl', lines.join('\n'))).toMatchObject({
      window: { steps: 45, stride: 23, group: 'person' },
      ...{ features: ['x', 'y'], leftOut: ['time is the time of a row'] },
    });
  });

  it.each<[string, object]>([
    ['windows', { columns: ['x', 'y', 'person', 'label'], categorical: ['person'] }],
    ['table', { columns: ['a', 'b', 'kind'], lastLabel: 'kind', missing: 'mean' }],
    ['words', { words: { column: 'tokens', tags: 'tags', why: 'tokens lists words, and tags as many tags' } }],
    ['images', { sample: 'picture' }],
    ['lists', {}],
  ])('of Parquet is looked into: %s', async (name, expected) => {
    const file = path.resolve('test/data/fixtures', `${name}.parquet`);
    expect(await seenForm('parquet', file, { label: [], isOtherTask: false })).toEqual(expected);
  });
});

describe('arrays', () => {
  const npz = (arrays: Readonly<Record<string, Uint8Array>>): Uint8Array =>
    zipSync(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])));
  const rows = npyBytes([4, 3], new Float32Array(12));

  it.each<[string, Uint8Array, object]>([
    ['d.npz', npz({ x: rows, y: npyBytes([4], new BigInt64Array(4)) }), { sample: 'table', arrays: { samples: 'x', labels: 'y' } }], // prettier-ignore
    ['d.npz', npz({ images: npyBytes([2, 8, 8, 3], new Float32Array(384)), labels: rows }), { arrays: { samples: 'images', labels: 'labels' } }], // prettier-ignore
    // Windows of six sensors, and grey pictures.
    ['d.npz', npz({ x: npyBytes([4, 128, 6], new Float32Array(3072)), y: rows }), { sample: 'series', arrays: { samples: 'x', labels: 'y' } }], // prettier-ignore
    ['d.npz', npz({ x: npyBytes([4, 6, 128], new Float32Array(3072)), y: rows }), { sample: 'series', layout: 'ncw', arrays: { samples: 'x', labels: 'y' } }], // prettier-ignore
    ['d.npz', npz({ x: npyBytes([4, 128, 6, 1], new Float32Array(3072)), y: rows }), { sample: 'array', arrays: { samples: 'x', labels: 'y' } }], // prettier-ignore
    ['d.npz', npz({ x: bytesOf([4, 8, 8], new Uint8Array(256)), y: rows }), { arrays: { samples: 'x', labels: 'y' } }], // prettier-ignore
    ['d.npz', npz({ x: rows }), { sample: 'table' }],
    ['d.npz', npz({ a: rows }), {}],
    ['d.npy', rows, { sample: 'table' }],
  ])('of %s are told by their names', async (name, bytes, form) => {
    await writeFile(path.join(folder(), name), bytes);
    expect(await seenForm('npz', path.join(folder(), name), { label: [], isOtherTask: false })).toEqual(form);
  });
});

it('masks: the file that names their classes, or none', async () => {
  for (const place of ['images', 'masks']) await mkdir(path.join(folder(), 'seg', place), { recursive: true });
  await writeFile(path.join(folder(), 'seg/images/1.png'), '');
  const classFile = async (): Promise<unknown> =>
    (await seenForm('mask-folder', path.join(folder(), 'seg'), { label: [], isOtherTask: false })).classFile;
  expect(await classFile()).toBeNull();
  await writeFile(path.join(folder(), 'seg/labels.txt'), 'background\nleaf\n');
  expect(await classFile()).toBe('labels.txt');
});

describe('pictures', () => {
  it.each<[string, readonly (readonly [number, number, 1 | 3])[], object]>([
    ['of one size', [[20, 30, 3], [20, 30, 3]], {}], // prettier-ignore
    ['of several sizes', [[20, 30, 3], [24, 40, 3], [22, 35, 3]], { resize: { size: [24, 32], why: 'sides of 20 to 40 pixels' } }], // prettier-ignore
    ['that are large', [[200, 300, 3]], { resize: { size: [40, 64], why: 'sides of 200 to 300 pixels' } }],
    ['of grey and colour', [[8, 8, 1], [8, 8, 3]], { channels: 3 }], // prettier-ignore
  ])('%s', async (_name, sizes, form) => {
    await mkdir(path.join(folder(), 'p', 'cat'), { recursive: true });
    for (const [i, [height, width, channels]] of sizes.entries()) {
      const raw = { width, height, channels };
      const image = sharp(new Uint8Array(height * width * channels), { raw });
      await (channels === 1 ? image.toColourspace('b-w') : image).png().toFile(path.join(folder(), 'p', 'cat', `${i}.png`)); // prettier-ignore
    }
    expect(await seenForm('image-folder', path.join(folder(), 'p'), { label: [], isOtherTask: false })).toEqual(form);
  });
});
