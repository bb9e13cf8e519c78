import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import { listDatasets, verifyDataset } from '../../src/data/catalog.ts';
import { loadDataset } from '../../src/data/load.ts';
import { countByClass } from '../../src/data/splits/class-weights.ts';
import { userError } from './support.ts';

const root = path.resolve('datasets');
const entryOf = async (name: string) => (await listDatasets(root)).find((entry) => entry.name === name)!;

describe('the data sets of this repository', () => {
  it('are listed with sizes and classes; MNIST with what is missing and how to get it', async () => {
    const entries = await listDatasets(root);
    expect(entries.map(({ name }) => name)).toEqual(['fashion-mnist', 'digits', 'mnist', 'watch-exercises']);
    expect(entries[0]).toMatchObject({
      license: 'MIT',
      sampleShape: [28, 28, 1],
      splits: { train: 60_000, test: 10_000 },
      available: true,
      missing: [],
      bytesOnDisk: 30_878_551,
    });
    const mnist = entries[2]!;
    expect(mnist.files.map((file) => path.relative(root, file.path))).toContain('mnist/train-images-idx3-ubyte.gz');
    expect(mnist.available).toBe(mnist.missing.length === 0);
    expect(await readFile(mnist.readme, 'utf8')).toMatch(/node scripts\/mnist\.mjs/);
  });

  it.each(['fashion-mnist', 'digits', 'watch-exercises'])(
    '%s: files, checksums, counts, classes and shape are as listed',
    async (name) => {
      const entry = await entryOf(name);
      expect(await verifyDataset(entry)).toEqual([]);
      const { train, validation, test, warnings, classNames } = await loadDataset(entry.dataset);
      expect(warnings).toEqual([]);
      expect({ train: train.count + validation.count, test: test!.count }).toEqual(entry.splits);
      expect([classNames, train.sampleShape]).toEqual([entry.classNames, entry.sampleShape]);
      const readme = await readFile(entry.readme, 'utf8');
      for (const { sha256 } of entry.files) expect(readme).toContain(sha256);
    },
  );

  it('Fashion-MNIST has 1,000 test and 6,000 train samples of every class', async () => {
    const { train, validation, test } = await loadDataset((await entryOf('fashion-mnist')).dataset);
    expect([...countByClass(test!.targets as Int32Array, 10)]).toEqual(new Array(10).fill(1000));
    expect([...countByClass(train.targets as Int32Array, 10)]).toEqual(new Array(10).fill(5400));
    expect([...countByClass(validation.targets as Int32Array, 10)]).toEqual(new Array(10).fill(600));
    // The split that the committed teachers were trained with: students must not validate on what their teacher has seen.
    expect(sha256(bytesOf(validation.ids))).toBe('3c4e9f4bf849c098276bfe276cb256741030e79ddbc94b066b26c24e1586f537');
  });
});

describe('a damaged datasets folder', () => {
  let copy = '';
  beforeAll(async () => {
    copy = await mkdtemp(path.join(tmpdir(), 'limbeck-datasets-'));
    await cp(path.join(root, 'index.json'), path.join(copy, 'index.json'));
    await cp(path.join(root, 'digits'), path.join(copy, 'digits'), { recursive: true });
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  it('says which files are missing, shortened or changed', async () => {
    const text = await readFile(path.join(copy, 'digits/test.csv'), 'utf8');
    await writeFile(path.join(copy, 'digits/test.csv'), text.replace('0', '1'));
    await writeFile(path.join(copy, 'digits/train.csv'), text);
    const [fashion, digits] = await listDatasets(copy);
    expect(fashion).toMatchObject({ available: false, bytesOnDisk: 0 });
    expect(fashion!.missing).toHaveLength(4);
    expect((await verifyDataset(fashion!))[0]).toMatch(/train-images-idx3-ubyte\.gz: missing$/);
    expect(await verifyDataset(digits!)).toEqual([
      expect.stringMatching(/train\.csv: 53691 bytes when decompressed, expected 212313$/),
      expect.stringMatching(/test\.csv: the checksum differs/),
    ]);
  });

  it('says so when the index is missing or no JSON', async () => {
    await writeFile(path.join(copy, 'index.json'), '[');
    expect((await userError(listDatasets(copy))).message).toMatch(/index\.json: not valid JSON/);
    expect((await userError(listDatasets(path.join(copy, 'digits')))).message).toMatch(/index\.json: cannot read it/);
  });
});
