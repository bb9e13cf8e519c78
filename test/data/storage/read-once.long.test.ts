import { copyFile, link, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { computedOnce } from '../../../src/data/storage/computed-once.ts';
import type { DatasetConfig } from '../../../src/data/config.ts';
import { blocksOf } from '../../../src/data/storage/sample-storage.ts';
import { handOver, takeOver } from '../../../src/data/storage/split-file.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { readOnce } from '../../../src/data/storage/read-once.ts';
import { readSplit, readSplits } from '../../../src/data/readers/read.ts';
import { Room } from '../../../src/data/storage/memory-budget.ts';
import { overlaps } from '../../../src/data/splits/overlap.ts';
import { textsOfAll } from '../../../src/data/storage/shared-reading.ts';
import { processesOf } from '../../../src/run/processes/processes.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { played } from '../../support/played.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const ROWS = 30;
const PARTS = ['train', 'test'] as const;

/** A table with words, gaps, dates and a label; `other`: a row whose number is another one. */
function table(other?: number): string {
  const rows = Array.from({ length: ROWS }, (_, i) =>
    [
      i === other ? 99 : i / 3,
      ['red', 'green', 'NA'][i % 3],
      i % 7 === 0 ? '' : i,
      i % 5 === 0 ? '' : `2024-02-${10 + (i % 20)}`,
      i % 2 === 0 ? 'a' : 'b',
    ].join(),
  );
  return ['x,colour,y,day,label', ...rows, ''].join('\n');
}

function lines(other?: number): string {
  return Array.from({ length: ROWS }, (_, i) => `${JSON.stringify({ features: [i === other ? 99 : i, 2], label: i % 2 })}\n`).join(''); // prettier-ignore
}

async function csv(): Promise<DatasetConfig> {
  for (const part of PARTS) await writeFile(at(`${part}.csv`), table());
  const config = { type: 'csv', categorical: ['colour'], missing: 'mean' } as const;
  return { ...config, train: at('train.csv'), test: at('test.csv') };
}

describe('splits that processes of one machine read', () => {
  it('are parsed by one of those that see the same file, the splits by different ones, and all have the same', async () => {
    const config = await csv();
    const alone = await Promise.all(PARTS.map((part) => readSplit(config, part)));
    await copyFile(at('train.csv'), at('copy.csv'));
    const read: string[][] = [];
    const all = await played(3, async (readers) => {
      const own = (read[readers.rank] = [] as string[]);
      // The last one sees another file of train, of the same content.
      const seen = { ...config, ...(readers.rank === 2 && { train: at('copy.csv') }) } as DatasetConfig;
      const sources = PARTS.map((part) => ({ files: [seen[part] as string], by: part }));
      const { splits } = await readOnce(readers, sources, (split) => {
        own.push(PARTS[split]!);
        return readSplit(seen, PARTS[split]!);
      });
      return splits;
    });
    expect(read).toEqual([['train'], ['test'], ['train']]);
    expect(all.slice(0, 2)).toEqual([alone, alone]);
    expect(all[2]![1]).toEqual(alone[1]);
  });

  it('are read by a process itself that does not see what it is given', async () => {
    expect(await takeOver(at('not there'))).toBeUndefined();
    const raw = (await readSplit(await csv(), 'train'))!;
    expect(await handOver(at('no folder/split'), raw)).toBe(false);
  });

  (process.platform === 'linux' ? it : it.skip)(
    'share a temporary file where they do not fit into memory',
    async () => {
      await writeFile(at('train.jsonl'), lines());
      const config: DatasetConfig = { type: 'jsonl', train: at('train.jsonl') };
      const raw = (await readSplit(config, 'train', undefined, { room: new Room(100) }))!;
      expect(raw.stored).toBeDefined();
      expect(await handOver(at('split'), raw)).toBe(true);
      const taken = (await takeOver(at('split')))!;
      const rowsOf = (split: typeof raw): number[] => [...blocksOf(split)].flatMap((block) => [...block]);
      expect(taken.stored!.open.descriptor).not.toBe(raw.stored!.open.descriptor);
      expect(rowsOf(taken)).toEqual(rowsOf(raw));
      expect(taken.labels).toEqual(raw.labels);
    },
  );
});

/** A file of `ROWS` pictures of 2×2 bytes, and one of their classes. */
async function pictures(name: string, pixels: Uint8Array): Promise<{ images: string; labels: string }> {
  const idx = (magic: number[], ...sizes: number[]): Buffer => {
    const head = Buffer.alloc(4 + 4 * sizes.length);
    head.set(magic);
    sizes.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
    return head;
  };
  const files = { images: at(`${name}.idx`), labels: at('y.idx') };
  await writeFile(files.images, Buffer.concat([idx([0, 0, 8, 3], ROWS, 2, 2), pixels]));
  await writeFile(files.labels, Buffer.concat([idx([0, 0, 8, 1], ROWS), Buffer.from(Array.from({ length: ROWS }, (_, i) => i % 2))])); // prettier-ignore
  return files;
}

describe('what processes give each other', () => {
  it('are texts of any lengths', async () => {
    const textOf = (rank: number): string => 'ä'.repeat(rank * 3001);
    const all = await played(3, (readers) => Promise.resolve().then(() => textsOfAll(readers, textOf(readers.rank))));
    expect(all).toEqual([0, 1, 2].map(() => [0, 1, 2].map(textOf)));
    expect(await played(2, (readers) => Promise.resolve().then(() => textsOfAll(readers, '')))).toEqual([['', ''], ['', '']]); // prettier-ignore
  });

  it('are long texts and warnings that one of those with the same file computes', async () => {
    const train = await pictures('x', Buffer.from(Array.from({ length: ROWS * 4 }, (_, i) => i % 60)));
    await copyFile(train.images, at('other.idx'));
    const all = await played(3, async (readers) => {
      const images = readers.rank === 2 ? at('other.idx') : train.images;
      const config = { type: 'idx', train: { images, labels: train.labels }, validation: 0.3 } as const;
      const [stored, inMemory] = [await loadDataset(config, { memory: 10 }), await loadDataset(config)];
      const text = await computedOnce(readers, [stored.train], () => `${readers.rank}`.repeat(5000));
      const own = `validation of ${readers.rank}`;
      const named = ({ validation }: typeof stored) => ({ ...validation, name: own, rowSize: 4 });
      const whole = { ...stored.train, rowSize: 4 };
      const by = async (other: typeof stored) => (await overlaps([whole, named(other)], readers)).map((note) => note.slice(0, own.length)); // prettier-ignore
      return [text[4999], await by(stored), await by(inMemory)];
    });
    const of = (rank: number) => [String(rank), [`validation of ${rank}`], [`validation of ${rank}`]];
    expect(all).toEqual([of(0), of(0), of(2)]);
  });

  it('are the tables of a Parquet file, which one of them parses', async () => {
    const train = path.resolve('test/data/fixtures/filtered.parquet');
    await copyFile(train, at('v.parquet'));
    // Another name of the same file, by which the one is told that has parsed it.
    await link(at('v.parquet'), at('same.parquet'));
    const all = await played(2, (readers) => {
      const validation = at(readers.rank === 0 ? 'same.parquet' : 'v.parquet');
      const room = new Room();
      return readSplits({ type: 'parquet', train, validation, missing: 'zero' }, undefined, { readers, room });
    });
    expect(all.map(([, split]) => split!.source)).toEqual([at('v.parquet'), at('v.parquet')]);
    expect(all[0]![1]).toEqual(all[1]![1]);
    const pictures = path.resolve('test/data/fixtures/images.parquet');
    const mixed = played(2, ({ rank, ...rest }) =>
      loadDataset({ type: 'parquet', train: rank === 0 ? train : pictures }, { readers: { rank, ...rest } }),
    );
    await expect(mixed).rejects.toThrow('train: process 1 of 2 finds pictures in it, and process 0 a table');
  });
});

describe('data that differ in one process', () => {
  const formats = { csv: table, jsonl: lines } as const;
  /** Both of two processes read the data; the last one reads other files. */
  const run = (type: keyof typeof formats) =>
    played(2, async (readers) => {
      const train = at(`${readers.rank === 1 ? 'other' : 'train'}.${type}`);
      const common = { train, testFraction: 0.2 };
      const config: DatasetConfig =
        type === 'csv' ? { type, ...common, categorical: ['colour'], missing: 'zero' } : { type, ...common };
      const data = await loadDataset(config, { readers });
      await processesOf(readers).requireSameData(data);
    });

  it.each([
    ['csv', 17],
    ['jsonl', ROWS - 1],
    ['jsonl', undefined],
  ] as const)('are refused, and copies are not: %s, sample %s', async (type, sample) => {
    await writeFile(at(`train.${type}`), formats[type]());
    await writeFile(at(`other.${type}`), formats[type](sample));
    if (sample === undefined) await expect(run(type)).resolves.toHaveLength(2);
    else await expect(run(type)).rejects.toThrow('process 1 of 2 has another data than process 0');
  });

  it('of a file that stays where it is are passed over by each that sees another one', async () => {
    const pixels = Buffer.from(Array.from({ length: ROWS * 4 }, (_, i) => i));
    await pictures('x', pixels);
    const all = () =>
      played(3, async (readers) => {
        const train = { images: at(readers.rank === 2 ? 'other.idx' : 'x.idx'), labels: at('y.idx') };
        const config = { type: 'idx', train, testFraction: 0.2, normalize: 'standard' } as const;
        const data = await loadDataset(config, { readers, memory: 10 });
        expect(data.train.stored).toBeDefined();
        await processesOf(readers).requireSameData(data);
        const passedBy = await computedOnce(readers, [data.train], () => String(readers.rank));
        return [passedBy, data.train.normalization];
      });
    for (const sample of [undefined, 13]) {
      const other = Buffer.from(pixels);
      if (sample !== undefined) other[sample * 4 + 3]! ^= 1;
      await pictures('other', other);
      // Nothing tells it from the first one but its place.
      await utimes(at('other.idx'), 1000, 1000);
      await utimes(at('x.idx'), 1000, 1000);
      if (sample === undefined) {
        const { normalization } = (await loadDataset({ type: 'idx', train: { images: at('x.idx'), labels: at('y.idx') }, testFraction: 0.2, normalize: 'standard' })).train; // prettier-ignore
        expect(await all()).toEqual(['0', '0', '2'].map((passedBy) => [passedBy, normalization]));
      } else await expect(all()).rejects.toThrow('process 2 of 3 has another data than process 0');
    }
    expect((await readFile(at('x.idx'))).length).toBe((await readFile(at('other.idx'))).length);
  });
});
