import { zipSync } from 'fflate';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { RandomStream } from '../../src/base/random.ts';
import type { DatasetConfig } from '../../src/data/config.ts';
import { loadDataset } from '../../src/data/load.ts';
import { npyLabels } from '../../src/data/readers/numpy/npy.ts';
import { readNpz } from '../../src/data/formats/npz/npz.ts';
import { readParquet } from '../../src/data/formats/parquet/parquet.ts';
import { temporaryFolder, userError } from './support.ts';

const folder = temporaryFolder();
const rows = (label: (i: number) => unknown): string =>
  `a,label\n${Array.from({ length: 400 }, (_, i) => `${i},${String(label(i))}`).join('\n')}\n`;
const lines = (label: (i: number) => unknown): string =>
  Array.from({ length: 40 }, (_, i) => JSON.stringify({ features: [i], label: label(i) })).join('\n');

const SUPPORTED =
  /^Supported are one class for each sample.*; numbers to predict, with `task: regression`; and several labels for a sample, with `task: multi-label`\. In train a sample may have none, where a teacher answers for it\./;

describe('what is not supported is said by name', () => {
  it.each<[string, DatasetConfig['type'], string, RegExp]>([
    ['measurements', 'csv', rows((i) => i / 7), /d\.csv: 400 different labels for 400 samples/],
    [
      'measurements of few values',
      'csv',
      rows((i) => 0.5 + (i % 12) / 3),
      /d\.csv: the labels are 12 different numbers, e\.g\. "/,
    ],
    ['-1 for no label', 'csv', rows((i) => (i === 5 ? -1 : i % 2)), /./],
    ['lists of labels', 'jsonl', lines((i) => [i % 2, 1]), /d\.jsonl:1: the label is \[0,1\]/],
  ])('%s', async (name, type, text, message) => {
    const train = await folder.file(`d.${type}`, text);
    const load = loadDataset({ type, train } as DatasetConfig);
    // In a CSV it may as well be the class of a support vector machine.
    if (name.startsWith('-1')) expect((await load).classNames).toEqual(['-1', '0', '1']);
    else {
      const error = await userError(load);
      expect(error.message).toMatch(message);
      expect(error.hint).toMatch(SUPPORTED);
    }
  });

  it('several numbers for a sample in NumPy arrays, and fractions', async () => {
    const array = { where: 'y.npy', shape: [2, 3], code: 'f4', body: new Uint8Array(24) };
    expect((await userError(() => npyLabels(array))).hint).toMatch(SUPPORTED);
    const body = new Uint8Array(Float32Array.of(0, 0.25).buffer);
    expect((await userError(() => npyLabels({ ...array, shape: [2], body }))).hint).toMatch(SUPPORTED);
  });

  it('columns of words', async () => {
    const train = await folder.file('words.csv', 'colour,label\nred,a\nblue,b\n');
    const { message, hint } = await userError(loadDataset({ type: 'csv', train }));
    expect(message).toMatch(/words\.csv:2: column "colour": expected a number, received "red"/);
    expect(hint).toMatch(
      /Supported are columns of numbers.* Columns of words are named as `categorical`.*`categorical: \[colour\]`/,
    );
  });

  it('but fractions that are listed as classes, and a few of them, are classes', async () => {
    const few = await folder.file(
      'few.csv',
      rows((i) => 0.5 + (i % 3)),
    );
    expect((await loadDataset({ type: 'csv', train: few })).classNames).toEqual(['0.5', '1.5', '2.5']);
    const classes = Array.from({ length: 12 }, (_, i) => String(0.5 + i));
    const many = await folder.file(
      'many.csv',
      rows((i) => classes[i % 12]),
    );
    expect((await loadDataset({ type: 'csv', train: many, classes })).classNames).toEqual(classes);
  });
});

describe('damage is said in words about the file', () => {
  const INNER = /Cannot read|of undefined|is not (a function|iterable)|typed array|DataView|out of bounds|BigInt|\0/i;

  it('of Parquet, 300 times', async () => {
    const bytes = await readFile(path.resolve('test/data/fixtures/table.parquet'));
    const random = new RandomStream('parquet mutants');
    let refused = 0;
    for (let n = 0; n < 300; n++) {
      const mutant = Buffer.from(bytes);
      // Most of what is to be read is in the footer.
      const from = n % 3 === 0 ? 4 : Math.max(4, mutant.length - 700);
      for (let change = 0; change < 3; change++) mutant[from + random.below(mutant.length - from)] = random.below(256);
      const file = await folder.file('mutant.parquet', mutant);
      try {
        await readParquet(file, { label: 'kind', missing: 'zero' });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused++;
        expect(error.message).not.toMatch(INNER);
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('of an archive whose names are damaged', async () => {
    const bytes = Buffer.from(zipSync({ 'x.npy': new Uint8Array(20), 'y.npy': new Uint8Array(20) }, { level: 0 }));
    const damaged = Buffer.from(bytes.toString('latin1').replaceAll('x.npy', 'x\0\0\x1by'), 'latin1');
    const { message } = await userError(readNpz({ file: await folder.file('names.npz', damaged) }, {}));
    expect(message).toMatch(/names\.npz: no array "x", the archive has: x\\x00\\x00\\x1by, y$/);
  });
});
