import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { CsvConfig, IdxConfig, NpzConfig } from '../../src/data/config.ts';
import { fingerprint, sampleId } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { loadDataset } from '../../src/data/load.ts';
import { idx, rows, temporaryFolder, userError } from './support.ts';

const folder = temporaryFolder();

/** `count` images of one pixel, whose value is their row; class = row mod classes. */
async function idxFiles(name: string, count: number, classes = 3) {
  const values = Array.from({ length: count }, (_, i) => i);
  const labels = values.map((i) => i % classes);
  return {
    images: await folder.file(`${name}-images`, idx(8, [count, 1, 1], values)),
    labels: await folder.file(`${name}-labels`, idx(8, [count], labels)),
  };
}

async function csv(options: Partial<CsvConfig> & { trainText: string; testText?: string }): Promise<CsvConfig> {
  const { trainText, testText, ...rest } = options;
  return {
    type: 'csv',
    train: await folder.file('train.csv', trainText),
    test: testText === undefined ? undefined : await folder.file('test.csv', testText),
    ...rest,
  };
}

const table = (rows: readonly (readonly [number | string, string])[]) =>
  ['a,label', ...rows.map(([a, label]) => `${a},${label}`)].join('\n');
const rowsOf = (dataset: Dataset) => [...dataset.samples];
const countsOf = (dataset: Dataset) =>
  [0, 1, 2].map((label) => (dataset.targets as Int32Array).filter((value) => value === label).length);
const allIds = (...datasets: Dataset[]) =>
  datasets.flatMap((dataset) => Array.from(dataset.ids, (_, row) => sampleId(dataset, row)));

it('says that -1 is no class', async () => {
  const train = {
    images: await folder.file('minus.idx', idx(8, [2, 1, 1], [1, 2])),
    labels: await folder.file('minus-labels.idx', idx(9, [2], [255, 1])),
  };
  const { message } = await userError(loadDataset({ type: 'idx', train }));
  expect(message).toMatch(/minus\.idx: sample 0: label -1 is out of range, class indexes start at 0$/);
});

describe('splitting', () => {
  it('draws a stratified validation split; every sample lands in exactly one split, with its label and its id', async () => {
    const config: IdxConfig = {
      type: 'idx',
      train: await idxFiles('train', 90),
      test: await idxFiles('test', 30),
      validation: 0.2,
    };
    const { train, validation, test, warnings } = await loadDataset(config);
    expect([train.count, validation.count, test!.count]).toEqual([72, 18, 30]);
    expect([countsOf(train), countsOf(validation)]).toEqual([
      [24, 24, 24],
      [6, 6, 6],
    ]);
    expect([...rowsOf(train), ...rowsOf(validation)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 90 }, (_, i) => i),
    );
    for (const { samples, targets, ids } of [train, validation, test!]) {
      expect([...targets]).toEqual(Array.from(samples, (value) => value % 3));
      expect([...ids]).toEqual([...samples]);
    }
    expect([train.idPrefix, validation.idPrefix, test!.idPrefix]).toEqual(['train', 'train', 'test']);
    expect(new Set(allIds(train, validation, test!)).size).toBe(120);
    // Its pixels are those of train.
    const said = warnings.map((one) => /^test: (\d+) of 30 samples have the values of a sample of (train|validation); /.exec(one)!); // prettier-ignore
    expect(said.map(([, , of]) => of)).toEqual(['train', 'validation']);
    expect(Number(said[0]![1]) + Number(said[1]![1])).toBe(30);
  });

  it('depends on splitSeed alone, 1 by default', async () => {
    const config: IdxConfig = { type: 'idx', train: await idxFiles('train', 90) };
    const seeds = [undefined, 1, 8];
    const [first, again, other] = await Promise.all(seeds.map((splitSeed) => loadDataset({ ...config, splitSeed })));
    expect(rowsOf(first!.validation)).toEqual(rowsOf(again!.validation));
    expect(fingerprint(first!.train)).toBe(fingerprint(again!.train));
    expect(rowsOf(first!.validation)).not.toEqual(rowsOf(other!.validation));
    expect(fingerprint(first!.train)).not.toBe(fingerprint(other!.train));
  });

  it('takes a number of samples, rounded by largest remainder, and a tenth by default', async () => {
    const config: IdxConfig = { type: 'idx', train: await idxFiles('train', 90) };
    expect(countsOf((await loadDataset({ ...config, validation: 10 })).validation)).toEqual([4, 3, 3]);
    expect((await loadDataset(config)).validation.count).toBe(9);
  });

  it('is limited after it is drawn, every class with its share', async () => {
    const config: IdxConfig = { type: 'idx', train: await idxFiles('train', 90), test: await idxFiles('test', 30) };
    const [all, few] = [await loadDataset(config), await loadDataset({ ...config, limit: 15 })];
    expect([few.train, few.validation, few.test!].map(countsOf)).toEqual([
      [5, 5, 5],
      [3, 3, 3],
      [5, 5, 5],
    ]);
    expect(allIds(all.train)).toEqual(expect.arrayContaining(allIds(few.train)));
    expect(fingerprint(few.validation)).toBe(fingerprint(all.validation));
    expect([...few.train.targets]).toEqual(Array.from(few.train.samples, (value) => value % 3));
    // All but one: no class keeps a sample for the rest, which nobody sees.
    expect((await loadDataset({ ...config, limit: 80 })).train.count).toBe(80);
  });

  it('uses validation files of their own, and then all of train', async () => {
    const config: IdxConfig = {
      type: 'idx',
      train: await idxFiles('train', 90),
      validation: await idxFiles('val', 12),
    };
    const { train, validation } = await loadDataset(config);
    expect([train.count, validation.count, validation.idPrefix]).toEqual([90, 12, 'validation']);
  });

  it('carves a test split, or says that there is none', async () => {
    const config: IdxConfig = { type: 'idx', train: await idxFiles('train', 90), testFraction: 0.1 };
    const carved = await loadDataset(config);
    expect([carved.train.count, carved.validation.count, carved.test!.count]).toEqual([73, 8, 9]);
    expect(new Set(allIds(carved.train, carved.validation, carved.test!)).size).toBe(90);
    const none = await loadDataset({ ...config, testFraction: undefined });
    expect(none.test).toBeUndefined();
    expect(none.warnings).toEqual([expect.stringMatching(/^no test split: .* set `test` or `testFraction`$/)]);
    // Another size of the validation split leaves the test split as it was.
    expect(rowsOf((await loadDataset({ ...config, validation: 30 })).test!)).toEqual(rowsOf(carved.test!));
  });

  it('keeps the only sample of a class in train', async () => {
    const config = await csv({
      trainText: table([...Array.from({ length: 9 }, (_, i) => [i, 'x'] as const), [9, 'y']]),
      validation: 6,
    });
    const { train, validation, warnings } = await loadDataset(config);
    expect(train.targets).toContain(1);
    expect(validation.count).toBe(6);
    expect(warnings).toContain('validation has no sample of 1 of 2 classes: y');
  });

  it.each<[string, Partial<IdxConfig>, RegExp, RegExp]>([
    [
      'a split of everything',
      { validation: 90 },
      /^validation: 90 of the 90 samples of .*train-images would leave none to train on$/,
      /0\.1/,
    ],
    ['a fractional count', { validation: 2.5 }, /^validation: expected a fraction .* received 2\.5$/, /a tenth/],
    ['a negative fraction', { validation: -0.1 }, /received -0\.1$/, /a tenth/],
    [
      'a test fraction of 1',
      { testFraction: 1 },
      /^testFraction: expected a number between 0 and 1, received 1/,
      /0\.1/,
    ],
  ])('rejects %s', async (_, options, message, hint) => {
    const error = await userError(loadDataset({ type: 'idx', train: await idxFiles('train', 90), ...options }));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it('rejects testFraction beside test files', async () => {
    const files = await idxFiles('train', 90);
    const error = await userError(loadDataset({ type: 'idx', train: files, test: files, testFraction: 0.1 }));
    expect(error.message).toBe('testFraction: 0.1 given beside `test`');
    expect(error.hint).toMatch(/Remove one/);
  });
});

describe('labels', () => {
  it('sorts numbers by value and words by code unit', async () => {
    const rows = ['10', '9', 'b', 'B', 'a', '2'].flatMap(
      (label) =>
        [
          [1, label],
          [2, label],
        ] as const,
    );
    const { classNames } = await loadDataset(await csv({ trainText: table(rows) }));
    expect(classNames).toEqual(['2', '9', '10', 'B', 'a', 'b']);
  });

  it('maps the words of test by the classes of train', async () => {
    const config = await csv({
      trainText: table([
        [1, 'cat'],
        [2, 'dog'],
        [3, 'cat'],
        [4, 'dog'],
      ]),
      testText: table([
        [5, 'dog'],
        [6, 'dog'],
        [7, 'cat'],
      ]),
    });
    expect([...(await loadDataset(config)).test!.targets]).toEqual([1, 1, 0]);
  });

  it.each([
    ['words', ['cat', 'dog'], ['dog', 'cat']],
    ['numbers that stand for names', ['1', '0'], ['zero', 'one']],
  ])('takes the order of the recipe, for %s', async (_, [first, second], classes) => {
    const trainText = table([
      [1, first!],
      [2, second!],
      [3, first!],
      [4, second!],
    ]);
    const { train, validation } = await loadDataset(await csv({ trainText, classes }));
    const pairs = [train, validation].flatMap(({ samples, targets }) => Array.from(samples, (a, i) => [a, targets[i]]));
    expect(pairs.sort()).toEqual([
      [1, 1],
      [2, 0],
      [3, 1],
      [4, 0],
    ]);
  });

  it('names line, word and nearest class of an unknown label in test', async () => {
    const config = await csv({
      trainText: table([
        [1, 'cat'],
        [2, 'dog'],
        [3, 'cat'],
      ]),
      testText: table([
        [1, 'cat'],
        [5, 'dgo'],
      ]),
    });
    const { message, hint } = await userError(loadDataset(config));
    expect(message).toMatch(/test\.csv:3: unknown label "dgo", expected one of 2 classes: cat, dog$/);
    expect(hint).toBe('Did you mean "dog"? Every label must occur in train or be listed as `classes` in the recipe.');
  });

  it('names sample and range of an index that is no class', async () => {
    const config: IdxConfig = { type: 'idx', train: await idxFiles('train', 90), test: await idxFiles('test', 30, 5) };
    const { message, hint } = await userError(loadDataset(config));
    expect(message).toMatch(/test-images: sample 3: label 3 is out of range, expected 0 to 2$/);
    expect(hint).toMatch(/list all class names as `classes`/);
  });

  it('warns of classes without samples', async () => {
    const config: IdxConfig = {
      type: 'idx',
      train: await idxFiles('train', 90),
      test: await idxFiles('test', 2),
      classes: ['a', 'b', 'c', 'd'],
    };
    expect((await loadDataset(config)).warnings.slice(0, 3)).toEqual([
      'train has no sample of 1 of 4 classes: d',
      'validation has no sample of 1 of 4 classes: d',
      'test has no sample of 2 of 4 classes: c, d',
    ]);
  });

  it('warns of a class that may stand for an unknown one', async () => {
    const train = await folder.file(
      'unknown.csv',
      `x,label\n${rows(12, (i) => `${i},${['a', 'NA', 'none'][i % 3]!}`)}`,
    );
    const { warnings, classNames } = await loadDataset({ type: 'csv', train });
    expect(classNames).toEqual(['NA', 'a', 'none']);
    expect(warnings.filter((warning) => warning.includes('read as a class'))).toEqual([
      'train: NA is read as a class; where it stands for an unknown one, leave the label empty',
    ]);
  });

  it('rejects one class, measurements as labels, and a class named twice', async () => {
    const one = await userError(
      loadDataset(
        await csv({
          trainText: table([
            [1, 'x'],
            [2, 'x'],
          ]),
        }),
      ),
    );
    expect(one.message).toMatch(/train\.csv: all 2 samples have the label "x", expected at least 2 classes$/);
    const measured = table(Array.from({ length: 200 }, (_, i) => [i, `${i}.5`] as const));
    const many = await userError(loadDataset(await csv({ trainText: measured })));
    expect(many.message).toMatch(/train\.csv: 200 different labels for 200 samples, e\.g\. "/);
    expect(many.hint).toMatch(/numbers to predict, with `task: regression`.*which column/);
    const config = await csv({
      trainText: table([
        [1, 'x'],
        [2, 'y'],
      ]),
      classes: ['x', 'y', 'x'],
    });
    expect((await userError(loadDataset(config))).message).toBe('classes: "x" is named twice');
  });
});

describe('normalization', () => {
  const values = [2, 4, 6, 8, 100];
  const rows = values.map((value, i) => [value, i % 2 === 0 ? 'x' : 'y'] as const);

  it('standardizes tables with the statistics of train alone', async () => {
    const config = await csv({ trainText: table(rows), testText: table([[1e6, 'x']]), validation: 1 });
    const { train, validation, test } = await loadDataset(config);
    const mean = rowsOf(train).reduce((sum, value) => sum + value, 0) / train.count;
    const variance = rowsOf(train).reduce((sum, value) => sum + (value - mean) ** 2, 0) / train.count;
    expect(train.normalization.scale).toBe(1);
    expect(train.normalization.mean[0]).toBeCloseTo(mean, 10);
    expect(train.normalization.std[0]).toBeCloseTo(Math.sqrt(variance), 10);
    expect([validation.normalization, test!.normalization]).toEqual([train.normalization, train.normalization]);
  });

  it('divides 8-bit images by 255 unless told otherwise', async () => {
    const config: IdxConfig = { type: 'idx', train: await idxFiles('train', 90) };
    const of = async (normalize: IdxConfig['normalize']) =>
      (await loadDataset({ ...config, normalize })).train.normalization;
    expect(await of(undefined)).toEqual({ scale: 1 / 255, mean: [0], std: [1] });
    expect(await of('none')).toEqual({ scale: 1, mean: [0], std: [1] });
    expect(await of({ mean: 0.5, std: [0.25] })).toEqual({ scale: 1 / 255, mean: [0.5], std: [0.25] });
    expect(await of({ mean: 0, std: 16, scale: 1 })).toEqual({ scale: 1, mean: [0], std: [16] });
    const standard = await of('standard');
    expect(standard.mean[0]).toBeGreaterThan(40 / 255);
    expect(standard.mean[0]).toBeLessThan(50 / 255);
  });

  it('leaves constant columns alone and rejects what cannot be divided by', async () => {
    const constant = await csv({ trainText: 'a,b,label\n5,1,x\n5,2,y\n5,3,x\n' });
    expect((await loadDataset(constant)).train.normalization.std[0]).toBe(1);
    const config: IdxConfig = { type: 'idx', train: await idxFiles('train', 90) };
    const zero = await userError(loadDataset({ ...config, normalize: { mean: 0, std: 0 } }));
    expect(zero.message).toBe('normalize.std: expected numbers > 0, received [0]');
    const three = await userError(loadDataset({ ...config, normalize: { mean: [1, 2, 3], std: 1 } }));
    expect(three.message).toBe('normalize.mean: 3 values for 1 channels');
  });

  it('fills gaps with the mean of train, in all splits', async () => {
    const config = await csv({
      trainText: table([
        [1, 'x'],
        ['', 'x'],
        [3, 'y'],
        [5, 'y'],
        [7, 'x'],
        ['NA', 'y'],
      ]),
      testText: table([
        ['', 'x'],
        [2, 'y'],
      ]),
      validation: 2,
      missing: 'mean',
    });
    const { train, validation, test } = await loadDataset(config);
    const present = rowsOf(train).filter((_, row) => ![1, 5].includes(train.ids[row]!));
    const mean = Math.fround(present.reduce((sum, value) => sum + value, 0) / present.length);
    expect(rowsOf(test!)).toEqual([mean, 2]);
    for (const dataset of [train, validation]) {
      dataset.ids.forEach((id, row) => expect(dataset.samples[row]).toBe([1, mean, 3, 5, 7, mean][id]));
    }
  });
});

describe('class weights', () => {
  it('balance the classes of train, or are those of the recipe', async () => {
    const rows = [0, 1, 2, 3, 4, 5].map((i) => [i, i < 4 ? 'x' : 'y'] as const);
    const config = await csv({
      trainText: table(rows),
      classWeights: 'balanced',
      validation: await folder.file('v.csv', table(rows)),
    });
    expect([...(await loadDataset(config)).classWeights!]).toEqual([6 / (2 * 4), 6 / (2 * 2)]);
    expect([...(await loadDataset({ ...config, classWeights: [1, 3] })).classWeights!]).toEqual([1, 3]);
    expect((await loadDataset({ ...config, classWeights: undefined })).classWeights).toBeUndefined();
    const { message, hint } = await userError(loadDataset({ ...config, classWeights: [1, -3] }));
    expect(message).toBe('classWeights: expected 2 numbers ≥ 0, received [1, -3]');
    expect(hint).toMatch(/`balanced`/);
  });
});

describe('splits that do not fit together', () => {
  it('images of another size in test', async () => {
    for (const [name, width] of [
      ['train', 3],
      ['test', 4],
    ] as const) {
      for (const label of ['a', 'b']) {
        await mkdir(path.join(folder.path, name, label), { recursive: true });
        const image = sharp({ create: { width, height: 2, channels: 3, background: 'red' } });
        for (const i of [1, 2]) await image.toFile(path.join(folder.path, name, label, `${i}.png`));
      }
    }
    const [train, test] = [path.join(folder.path, 'train'), path.join(folder.path, 'test')];
    const { message, hint } = await userError(loadDataset({ type: 'image-folder', train, test }));
    expect(message).toMatch(/test: samples have the shape \[2, 4, 3\], those of .*train \[2, 3, 3\]$/);
    expect(hint).toMatch(/`resize`/);
    const loaded = await loadDataset({ type: 'image-folder', train, test, resize: [2, 2] });
    expect(loaded.classNames).toEqual(['a', 'b']);
  });

  it('columns in another order in test', async () => {
    const config = await csv({ trainText: 'a,b,label\n1,2,x\n3,4,y\n', testText: 'b,a,label\n1,2,x\n' });
    const { message, hint } = await userError(loadDataset(config));
    expect(message).toMatch(
      /test\.csv: feature columns differ from those of .*train\.csv: column "b" where train has "a"$/,
    );
    expect(hint).toMatch(/same order/);
    const fewer = await csv({ trainText: 'a,b,label\n1,2,x\n3,4,y\n', testText: 'a,label\n1,x\n' });
    expect((await userError(loadDataset(fewer))).message).toMatch(/: 1 instead of 2$/);
  });

  it('float pixels in test where train has bytes', async () => {
    const float = idx(0x0d, [3, 1, 1], new Uint8Array(12));
    const test = { images: await folder.file('float', float), labels: await folder.file('l', idx(8, [3], [0, 1, 2])) };
    const { message } = await userError(loadDataset({ type: 'idx', train: await idxFiles('train', 9), test }));
    expect(message).toMatch(/float: samples are float32, those of .*train-images uint8$/);
  });

  it('NaN and infinity in arrays', async () => {
    const file = path.resolve('test/data/fixtures/arrays.npz');
    const config: NpzConfig = { type: 'npz', train: { file, samples: 'double', labels: 'y_train' } };
    const { message, hint } = await userError(loadDataset(config));
    expect(message).toMatch(/arrays\.npz: double: sample 0: value 1 is Infinity, expected a finite float32 number$/);
    expect(hint).toMatch(/Clean the data first/);
    const body = Buffer.alloc(8);
    body.writeFloatBE(NaN, 4);
    const train = {
      images: await folder.file('nan', idx(0x0d, [2, 1], body)),
      labels: await folder.file('l2', idx(8, [2], [0, 1])),
    };
    expect((await userError(loadDataset({ type: 'idx', train }))).message).toMatch(/nan: sample 1: value 0 is NaN/);
  });

  it('reports train first when several files are missing', async () => {
    const missing = (name: string) => ({ images: path.join(folder.path, name), labels: path.join(folder.path, name) });
    const config: IdxConfig = { type: 'idx', train: missing('no-train'), test: missing('no-test') };
    expect((await userError(loadDataset(config))).message).toMatch(/no-train: cannot read it/);
  });
});
