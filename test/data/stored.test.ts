// Needs the features jsonl and parquet.
import { truncateSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { bytesOf } from '../../src/base/bytes.ts';
import { batches, viewOf } from '../../src/data/batches/batches.ts';
import type { DatasetConfig } from '../../src/data/config.ts';
import { fingerprint } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { labelledOf } from '../../src/data/readers/labelled.ts';
import { loadDataset } from '../../src/data/load.ts';
import { blocksOf } from '../../src/data/storage/sample-storage.ts';
import { readIdx } from '../../src/data/formats/idx/idx.ts';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { readNpz } from '../../src/data/formats/npz/npz.ts';
import { Room } from '../../src/data/storage/memory-budget.ts';
import { thumbnail } from '../../src/data/pictures/thumbnail.ts';
import { idx, rows, temporaryFolder, userError } from './support.ts';

const folder = temporaryFolder();
const COUNT = 60;

/** Bytes that look drawn. */
const pixels = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * i * 31 + i * 7 + 13) % 251);
const classes = Array.from({ length: COUNT }, (_, i) => i % 3);
const images = idx(8, [COUNT, 6, 5], pixels(30 * COUNT));
const labels = idx(8, [COUNT], classes);

/** A split without what tells how it is held. */
const rest = (split: Dataset) => ({ ...split, samples: undefined, stored: undefined });

function expectSame(stored: Dataset, known: Dataset, augment = false): void {
  expect(stored.stored).toBeDefined();
  expect(known.stored).toBeUndefined();
  expect(rest(stored)).toEqual(rest(known));
  expect(fingerprint(stored)).toBe(fingerprint(known));
  const options = { batchSize: 16, seed: 3, epoch: 2, ...(augment && { augment: [{ shift: 1 }, { mixup: 0.4 }] }) };
  const [mine, theirs] = [stored, known].map((of) => [...batches(of, options)].map(({ x, ids }) => ({ x, ids })));
  expect(mine).toEqual(theirs);
  const plain = { seed: 0, view: 0, augment: [] };
  const last = [known.count - 1, 0];
  expect(bytesOf(viewOf(stored, last, plain))).toEqual(bytesOf(viewOf(known, last, plain)));
}

/** Both ways of holding a data set, compared; without memory for samples all of them are left in files. */
async function compare(config: DatasetConfig, augment = false) {
  const [inFiles, inMemory] = [await loadDataset(config, { memory: 0 }), await loadDataset(config)];
  for (const name of ['train', 'validation', 'test'] as const) {
    expect(inFiles[name] === undefined).toBe(inMemory[name] === undefined);
    if (inMemory[name] !== undefined) expectSame(inFiles[name]!, inMemory[name], augment);
  }
  expect(inFiles.warnings.filter((note) => !/memory are free for them/.test(note))).toEqual(inMemory.warnings);
  return inFiles;
}

const npy = (shape: readonly number[], data: Uint8Array | Float32Array | Int32Array): Uint8Array =>
  npyBytes(shape, data);
/** Numbers in the other byte order. */
const bigEndian = (file: Uint8Array): Uint8Array => {
  const text = Buffer.from(file).toString('latin1').replace('<f4', '>f4');
  const [out, from] = [Buffer.from(text, 'latin1'), file.length - 30 * COUNT * 4];
  out.subarray(from).swap32();
  return out;
};
const floats = Float32Array.from(pixels(30 * COUNT), (value) => value / 17 - 3);

describe('samples that are left in files', () => {
  it('are those of IDX files where they lie, with splits, limits and augmentation', async () => {
    const train = { images: await folder.file('x.idx', images), labels: await folder.file('y.idx', labels) };
    const more = { testFraction: 0.2, validation: 9, limit: 40 };
    const { warnings } = await compare({ type: 'idx', train, ...more }, true);
    expect(warnings[0]).toMatch(
      /x\.idx: its samples take 0 MB, and 0 MB of memory are free for them: they are read from/,
    );
  });

  it('are those of IDX files that are compressed, or hold larger numbers', async () => {
    const wide = Buffer.from(idx(0x0d, [COUNT, 30], new Uint8Array(0)));
    const numbers = Buffer.alloc(4 * floats.length);
    floats.forEach((value, i) => numbers.writeFloatBE(value, 4 * i));
    for (const [name, file] of [
      ['packed', gzipSync(images)],
      ['wide', Buffer.concat([wide, numbers])],
    ] as const) {
      const train = { images: await folder.file(name, file), labels: await folder.file('y2.idx', gzipSync(labels)) };
      await compare({ type: 'idx', train, normalize: 'standard' });
    }
  });

  it('are those of NumPy arrays: as they are, in other orders, and in an archive', async () => {
    const y = npy([COUNT], Int32Array.from(classes));
    const named = await folder.file('y.npy', y);
    const forms = {
      bytes: [npy([COUNT, 6, 5], pixels(30 * COUNT)), {}],
      floats: [npy([COUNT, 6, 5], floats), {}],
      big: [bigEndian(npy([COUNT, 30], floats)), {}],
      first: [npy([COUNT, 3, 5, 2], pixels(30 * COUNT)), { layout: 'nchw' }],
    } as const;
    for (const [name, [file, more]] of Object.entries(forms)) {
      const train = { samples: await folder.file(`${name}.npy`, file), labels: named };
      await compare({ type: 'npz', train, ...more });
      const archive = await folder.file(`${name}.npz`, zipSync({ 'x.npy': file, 'y.npy': y }, { level: 0 }));
      await compare({ type: 'npz', train: { file: archive }, ...more });
    }
  });

  it('are read where they lie, however few, where their file is too large to be read whole', async () => {
    const y = npy([COUNT], Int32Array.from(classes));
    const arrays = { 'x.npy': npy([COUNT, 6, 5], pixels(30 * COUNT)), 'few.npy': npy([3, 6, 5], pixels(90)), 'y.npy': y, 'some.npy': npy([3], Int32Array.of(0, 1, 2)) }; // prettier-ignore
    const file = await folder.file('both.npz', zipSync(arrays, { level: 0 }));
    const source = { file, samples: 'few', labels: 'some' };
    const [stored, known] = [
      await readNpz(source, { room: Object.assign(new Room(1e9), { mostRead: 1000 }) }),
      await readNpz(source, { room: new Room(1e9) }),
    ];
    expect(known.stored).toBeUndefined();
    expect([...blocksOf(stored)]).toEqual([known.samples]);
    expect(stored.labels).toEqual(known.labels);
    expect(stored.notes).toEqual([
      expect.stringContaining('in a file of more than is read at once: they are read from'),
    ]);
    // Numbers of 8 bytes in the file are samples of 4.
    const doubles = Buffer.alloc(8 * 60);
    for (let i = 0; i < 60; i++) doubles.writeDoubleBE(i / 7, 8 * i);
    const images = await folder.file('doubles.idx', Buffer.concat([idx(0x0e, [6, 10], new Uint8Array(0)), doubles]));
    const left = await readIdx({ images }, Object.assign(new Room(1e9), { mostRead: 400 }));
    expect([...blocksOf(left)]).toEqual([(await readIdx({ images })).samples]);
    expect(left.stored).toBeDefined();
  });

  it('are those of picture folders, with pictures of no class behind them', async () => {
    for (const [name, count] of Object.entries({ a: 7, b: 6, none: 5 })) {
      await mkdir(path.join(folder.path, 'pictures', name), { recursive: true });
      for (let i = 0; i < count; i++) {
        const raw = { width: 9, height: 7, channels: 3 } as const;
        const image = sharp(
          pixels(189).map((value) => (value + 40 * i + name.length) % 256),
          { raw },
        );
        await image.png().toFile(path.join(folder.path, 'pictures', name, `${i}.png`));
      }
    }
    const [train, none] = ['pictures', 'pictures/none'].map((name) => path.join(folder.path, name)) as [string, string];
    const config = { type: 'image-folder', train, resize: [4, 5], validation: 4 } as const;
    await compare(config, true);
    const [stored, known] = [
      await loadDataset({ ...config, unlabelled: none }, { memory: 0 }),
      await loadDataset({ ...config, unlabelled: none }),
    ];
    expectSame(stored.train, known.train);
    expectSame(labelledOf(stored.train), labelledOf(known.train));
    expect(await thumbnail(stored.train, 3)).toBe(await thumbnail(known.train, 3));
  });

  it('are those of Parquet files, pictures and tables', async () => {
    const fixture = (name: string): string => path.resolve('test/data/fixtures', `${name}.parquet`);
    await compare({ type: 'parquet', train: fixture('images'), validation: 3, resize: [5, 4] });
    const table = fixture('table');
    await compare({ type: 'parquet', train: table, validation: table, label: 'kind', missing: 'zero' });
  });

  it('are those of tables, however rows are dropped', async () => {
    const text = `label,a,b\n${rows(COUNT, (i) => `${i % 3},${i % 7 === 0 ? '' : i / 3},${Math.sin(i)}`)}`;
    const train = await folder.file('table.csv', text);
    await compare({ type: 'csv', train, missing: 'drop' });
    const lines = rows(COUNT, (i) => JSON.stringify({ label: i % 3, features: [i, Math.cos(i)] }));
    await compare({ type: 'jsonl', train: await folder.file('table.jsonl', lines) });
  });

  it('are those of texts and of words with a tag each', async () => {
    const texts = rows(COUNT, (i) => JSON.stringify({ label: i % 3, text: `sentence ${i}` }));
    const text = { column: 'text', length: 12 };
    await compare({ type: 'jsonl', train: await folder.file('texts.jsonl', texts), text });
    const words = rows(COUNT, (i) => `Ada${i} B-PER\nwalks O\n`);
    const train = await folder.file('words.conll', words);
    await compare({ type: 'conll', task: 'tagging', train, validation: 9, text: { column: 0, length: 12 } });
  });

  it('are passed over once for their hash, also where another object has the same samples', async () => {
    const file = await folder.file('once.idx', images);
    const train = { images: file, labels: await folder.file('y4.idx', labels) };
    const { train: data } = await loadDataset({ type: 'idx', train }, { memory: 0 });
    const hash = fingerprint(data);
    truncateSync(file, 500);
    expect(fingerprint({ ...data, forTeacher: undefined })).toBe(hash);
    const others = { ...data, targets: data.targets.map((value) => value + 1) as Int32Array };
    expect((await userError(() => fingerprint(others))).message).toMatch(/ends at byte 500/);
  });

  it('cannot be read as an array, nor when their file has become shorter', async () => {
    const file = await folder.file('short.idx', images);
    const train = { images: file, labels: await folder.file('y3.idx', labels) };
    const { train: data } = await loadDataset({ type: 'idx', train }, { memory: 0 });
    expect(() => data.samples[0]).toThrow('in a file');
    expect(() => data.samples.length).toThrow('in a file');
    truncateSync(file, 500);
    const { message, hint } = await userError(() => fingerprint(data));
    expect(message).toMatch(/short\.idx: ends at byte 500, where it had samples when it was opened/);
    expect(hint).toMatch(/Leave the files/);
  });

  it('are refused with sizes where they can only be in memory', async () => {
    const train = await folder.file('words.csv', `label,a\n${rows(COUNT, (i) => `${i % 3},${i}`)}`);
    const mean = await userError(loadDataset({ type: 'csv', train, missing: 'mean' }, { memory: 0 }));
    expect(mean.message).toMatch(/words\.csv: its rows of 1 numbers take 0 MB of memory, and 0 MB are free for them/);
    expect(mean.hint).toMatch(/leave out `missing: mean`/);
    const cifar = await folder.file('c.bin', new Uint8Array(3073 * 4));
    const pictures = await userError(loadDataset({ type: 'cifar10', train: cifar, validation: 1 }, { memory: 0 }));
    expect(pictures.message).toMatch(/c\.bin: 4 pictures of 32x32 take 0 MB of memory, and 0 MB are free for them/);
    const x = npy([COUNT, 30], floats);
    const packed = await folder.file(
      'packed.npz',
      zipSync({ 'x.npy': x, 'y.npy': npy([COUNT], Int32Array.from(classes)) }),
    );
    const archive = await userError(loadDataset({ type: 'npz', train: { file: packed } }, { memory: 0 }));
    expect(archive.hint).toMatch(/numpy\.savez instead of savez_compressed/);
    const fortran = Buffer.from(Buffer.from(x).toString('latin1').replace('False', 'True '), 'latin1');
    const pair = { samples: await folder.file('f.npy', fortran), labels: await folder.file('l.npy', npy([COUNT], Int32Array.from(classes))) }; // prettier-ignore
    expect((await userError(loadDataset({ type: 'npz', train: pair }, { memory: 0 }))).hint).toMatch(
      /ascontiguousarray/,
    );
  });

  it('are refused where the archive is damaged', async () => {
    const y = npy([COUNT], Int32Array.from(classes));
    const bytes = zipSync({ 'x.npy': npy([COUNT, 30], floats), 'y.npy': y }, { level: 0 });
    bytes[400]! ^= 1;
    const file = await folder.file('damaged.npz', bytes);
    const known = (await userError(loadDataset({ type: 'npz', train: { file } }))).message;
    expect((await userError(loadDataset({ type: 'npz', train: { file } }, { memory: 0 }))).message).toBe(known);
  });
});
