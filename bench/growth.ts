/**
 * Growth of processor time and memory with the data: `npm run bench:growth -- [--kinds npy,csv,pictures,parquet,webdataset,classes,again,headers] [--times 4]`. Each size is read in a
 * process of its own. The exponent is that of a power of the size, from the smallest to the largest one, of what a process takes
 * beyond that of a sixteenth of the smallest size: 1 where twice the data take twice as much. `--times`: sizes, each twice the one before.
 */
import '../src/features.ts';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { RandomStream } from '../src/base/random.ts';
import { npyBytes } from '../src/data/readers/numpy/npy.ts';
import { readParquet } from '../src/data/formats/parquet/parquet.ts';
import { reordered } from '../src/distill/preflight/class-order.ts';
import { parquetFile } from '../test/support/parquet.ts';
import { tarOf } from '../test/support/tar.ts';
import { loadDataset } from '../src/data/load.ts';
import type { DataOptions } from '../src/data/load.ts';
import { jsonOf, table } from './processes.ts';

const { values, positionals } = parseArgs({
  options: {
    kinds: { type: 'string', default: 'npy,csv,pictures,parquet,webdataset,classes' },
    times: { type: 'string', default: '4' },
  },
  allowPositionals: true,
});

const COLUMNS = 32;
const random = new RandomStream('growth');
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.uniform());
const labels = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i % 2);

interface Kind {
  readonly what: string;
  readonly smallest: number;
  readonly write: (folder: string, size: number) => Promise<void> | void;
  readonly work: (folder: string) => Promise<unknown>;
  /** Decoded pictures are kept in the folder by `write`, and found there. */
  readonly isCached?: true;
}

/** A picture of 64x64 as JPEG. */
const picture = (): Promise<Buffer> =>
  sharp(
    Uint8Array.from({ length: 64 * 64 * 3 }, () => random.below(256)),
    { raw: { width: 64, height: 64, channels: 3 } },
  )
    .jpeg()
    .toBuffer();

async function writePictures(folder: string, count: number): Promise<void> {
  for (const i of [0, 1]) mkdirSync(path.join(folder, `class${i}`), { recursive: true });
  for (let i = 0; i < count; i++) writeFileSync(path.join(folder, `class${i % 2}`, `${i}.jpg`), await picture());
}

/** One row group, as pyarrow writes up to a million rows, of pages of 64 pictures, about a MiB each. */
async function writeParquet(folder: string, count: number): Promise<void> {
  const [BYTE_ARRAY, PLAIN, PAGE] = [6, 0, 64];
  const pages = [];
  for (let from = 0; from < count; from += PAGE) {
    const of = Math.min(PAGE, count - from);
    const values = [];
    for (let i = 0; i < of; i++) {
      const bytes = await picture();
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      values.push(length, bytes);
    }
    const body = Buffer.concat(values);
    pages.push({ header: { 1: 0, 2: body.length, 3: body.length, 5: { 1: of, 2: PLAIN, 3: 3, 4: 3 } }, body });
  }
  const schema = [{ 1: BYTE_ARRAY, 3: 0, 4: 'image' }];
  const column = { schema, path: ['image'], type: BYTE_ARRAY, pages, values: count };
  writeFileSync(path.join(folder, 'x.parquet'), parquetFile(count, column));
}

async function writeArchive(folder: string, count: number): Promise<void> {
  const entries = [];
  for (let i = 0; i < count; i++)
    entries.push({ name: `${i}.jpg`, content: await picture() }, { name: `${i}.cls`, content: String(i % 2) });
  writeFileSync(path.join(folder, 'x.tar'), tarOf(entries));
}

const readPictures = (train: string, options: DataOptions = {}): Promise<unknown> =>
  loadDataset({ type: 'image-folder', train, channels: 3 }, options);

const KINDS: Readonly<Record<string, Kind>> = {
  npy: {
    what: `rows of ${COLUMNS} numbers in a NumPy file, read`,
    smallest: 200_000,
    write: (folder, rows) => {
      writeFileSync(path.join(folder, 'x.npy'), npyBytes([rows, COLUMNS], numbers(rows * COLUMNS)));
      writeFileSync(path.join(folder, 'y.npy'), npyBytes([rows], labels(rows)));
    },
    work: (folder) => {
      const [samples, labels] = ['x.npy', 'y.npy'].map((file) => path.join(folder, file)) as [string, string];
      return loadDataset({ type: 'npz', train: { samples, labels } });
    },
  },
  csv: {
    what: `rows of ${COLUMNS} numbers in a CSV file, read`,
    smallest: 20_000,
    write: (folder, rows) => {
      const head = [...Array.from({ length: COLUMNS }, (_, i) => `c${i}`), 'label'].join();
      const lines = Array.from({ length: rows }, (_, i) => `${numbers(COLUMNS).join()},${i % 2}`);
      writeFileSync(path.join(folder, 'x.csv'), `${head}\n${lines.join('\n')}\n`);
    },
    work: (folder) => loadDataset({ type: 'csv', train: path.join(folder, 'x.csv'), label: 'label' }),
  },
  pictures: {
    what: 'JPEG files of 64x64, decoded',
    smallest: 1000,
    write: writePictures,
    work: (folder) => readPictures(folder),
  },
  parquet: {
    what: 'JPEG files of 64x64 in one row group of a Parquet file',
    smallest: 1000,
    write: writeParquet,
    work: (folder) => readParquet(path.join(folder, 'x.parquet'), { image: 'image', withoutLabels: true }),
  },
  webdataset: {
    what: 'JPEG files of 64x64 in an archive of WebDataset',
    smallest: 1000,
    write: writeArchive,
    work: (folder) => loadDataset({ type: 'webdataset', train: path.join(folder, 'x.tar') }),
  },
  classes: {
    what: 'classes whose order is found by 20 answers each, four in five of one class',
    smallest: 20_000,
    write: (folder, classes) => writeFileSync(path.join(folder, 'classes'), String(classes)),
    work: (folder) => {
      const classes = Number(readFileSync(path.join(folder, 'classes'), 'utf8'));
      const labels = Int32Array.from({ length: 20 * classes }, (_, i) => i % classes);
      const answers = labels.map((label) => (random.below(5) === 0 ? random.below(classes) : (label + 1) % classes));
      const names = Array.from({ length: classes }, (_, i) => `c${i}`);
      return Promise.resolve(reordered(answers, labels, names));
    },
  },
  again: {
    what: 'JPEG files of 64x64, at a second start',
    smallest: 1000,
    write: async (folder, count) => {
      await writePictures(folder, count);
      process.env['LIMBECK_CACHE'] = path.join(folder, '.cache');
      await readPictures(folder);
    },
    work: (folder) => readPictures(folder),
    isCached: true,
  },
  headers: {
    what: 'JPEG files of 64x64, a sample of 500 decoded',
    smallest: 1000,
    write: writePictures,
    work: (folder) => readPictures(folder, { sample: 500 }),
  },
};

const [name, folder] = positionals;
if (name === undefined) await measure();
else {
  process.env['LIMBECK_CACHE'] = KINDS[name]!.isCached === true ? path.join(folder!, '.cache') : 'off';
  await KINDS[name]!.work(folder!);
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  console.log(JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, bytes: maxRSS * 1024 }));
}

async function measure(): Promise<void> {
  const rows: string[][] = [];
  for (const [kind, { what, smallest, write }] of Object.entries(KINDS)) {
    if (!values.kinds.split(',').includes(kind)) continue;
    const sizes = [smallest / 16, ...Array.from({ length: Number(values.times) }, (_, i) => smallest * 2 ** i)].map(
      Math.ceil,
    );
    const found: { seconds: number; bytes: number }[] = [];
    for (const at of sizes) {
      const made = mkdtempSync(path.join(tmpdir(), 'limbeck-growth-'));
      try {
        await write(made, at);
        found.push((await jsonOf(process.execPath, [import.meta.filename, kind, made])) as never);
      } finally {
        rmSync(made, { recursive: true, force: true });
      }
    }
    const [none, ...grown] = found;
    const [least, first] = sizes as [number, number];
    const power = (largest: number, smallest: number, base: number): number =>
      Math.log2((largest - base) / (smallest - base));
    const exponent = (key: 'seconds' | 'bytes'): string =>
      (power(grown.at(-1)![key], grown[0]![key], none![key]) / power(sizes.at(-1)!, first, least)).toFixed(2);
    grown.forEach(({ seconds, bytes }, i) =>
      rows.push([
        what,
        String(sizes[i + 1]),
        seconds.toFixed(1),
        (bytes / 1e6).toFixed(0),
        ...(i === grown.length - 1 ? [exponent('seconds'), exponent('bytes')] : ['', '']),
      ]),
    );
  }
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, node ${process.version}\n`);
  console.log(table(['what', 'size', 'CPU seconds', 'MB', 'exponent of time', 'exponent of memory'], rows));
}
