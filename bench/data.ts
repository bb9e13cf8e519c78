/**
 * Pictures a second from a folder of JPEG files to batches, beside PyTorch's DataLoader: `npm run bench:data -- [--pictures 2000]
 * [--rounds 3] [--python PYTHON]`. The files, 500 x 375, are made in the temporary folder. Reading is decoding and resizing to 224 x 224;
 * an epoch is a random resized crop of each, mirrored or not, and normalized, in batches of 64. Limbeck decodes once and crops what lies in
 * memory, in one data worker; PyTorch does all of it in every epoch, in as many workers as there are cores. A second line is of pictures
 * that are left in a temporary file, as those are that do not fit into memory, a third of pictures that an earlier run decoded.
 */
import '../src/features.ts';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { RandomStream } from '../src/base/random.ts';
import { batches } from '../src/data/batches/batches.ts';
import { loadDataset } from '../src/data/load.ts';
import { findPython, jsonOf, median, table } from './processes.ts';

const { values, positionals } = parseArgs({
  options: {
    pictures: { type: 'string', default: '2000' },
    stored: { type: 'boolean', default: false },
    cache: { type: 'string', default: 'off' },
    rounds: { type: 'string', default: '3' },
    python: { type: 'string' },
  },
  allowPositionals: true,
});
const [WIDTH, HEIGHT, SIZE, BATCH] = [500, 375, 224, 64];

if (positionals[0] === undefined) await measure(Number(values.pictures), Number(values.rounds));
else await read(positionals[0], values.stored);

async function measure(pictures: number, rounds: number): Promise<void> {
  const python = findPython(values.python, ['.venv/zoo/bin/python']);
  const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-bench-'));
  try {
    await write(path.join(folder, 'pictures'), pictures);
    const cached = [import.meta.filename, path.join(folder, 'pictures'), '--cache', path.join(folder, 'cache')];
    await jsonOf(process.execPath, cached);
    const sides: Record<string, Record<string, unknown>[]> = { limbeck: [], stored: [], cached: [], pytorch: [] };
    for (let round = 0; round < rounds; round++) {
      sides['limbeck']!.push(await jsonOf(process.execPath, [import.meta.filename, path.join(folder, 'pictures')]));
      sides['stored']!.push(
        await jsonOf(process.execPath, [import.meta.filename, path.join(folder, 'pictures'), '--stored']),
      );
      sides['cached']!.push(await jsonOf(process.execPath, cached));
      const args = [
        'bench/data.py',
        path.join(folder, 'pictures'),
        String(SIZE),
        String(BATCH),
        String(availableParallelism()),
      ];
      if (python !== undefined) sides['pytorch']!.push(await jsonOf(python, args));
    }
    const rate = (side: string, key: string): string => {
      const all = sides[side]!.map((one) => Number(one[key]));
      return all.length === 0 ? '' : (pictures / median(all)).toFixed(0);
    };
    console.log(
      `${pictures} JPEG files of ${WIDTH}x${HEIGHT}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores; ` +
        `pictures a second, medians of ${rounds} rounds\n`,
    );
    const rows = [
      ['limbeck', rate('limbeck', 'readSeconds'), rate('limbeck', 'epochSeconds')],
      ['limbeck, left in a file', rate('stored', 'readSeconds'), rate('stored', 'epochSeconds')],
      ['limbeck, decoded by an earlier run', rate('cached', 'readSeconds'), rate('cached', 'epochSeconds')],
      ['PyTorch DataLoader', rate('pytorch', 'readSeconds'), rate('pytorch', 'epochSeconds')],
    ];
    console.log(table(['', 'decoded and resized', 'an epoch with crops'], rows));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two classes of blurred noise: JPEG takes as long for it as for a photograph of its size in bytes. */
async function write(folder: string, pictures: number): Promise<void> {
  const random = new RandomStream('pictures');
  for (let i = 0; i < pictures; i++) {
    const name = path.join(folder, `class${i % 2}`);
    mkdirSync(name, { recursive: true });
    const noise = Buffer.from(Uint8Array.from({ length: 3 * 64 * 48 }, () => random.below(256)));
    await sharp(noise, { raw: { width: 64, height: 48, channels: 3 } })
      .resize(WIDTH, HEIGHT, { fit: 'fill', kernel: 'cubic' })
      .jpeg({ quality: 90 })
      .toFile(path.join(name, `${i}.jpg`));
  }
}

async function read(folder: string, isStored: boolean): Promise<void> {
  process.env['LIMBECK_CACHE'] = values.cache;
  const seconds = (since: number): number => (performance.now() - since) / 1000;
  let start = performance.now();
  const config = { type: 'image-folder', train: folder, validation: 2, resize: [SIZE, SIZE], channels: 3 } as const;
  const { train } = await loadDataset(config, isStored ? { memory: 0 } : {});
  if ((train.stored !== undefined) !== isStored) throw new Error('the pictures are not where they were to be');
  const readSeconds = seconds(start);
  start = performance.now();
  let sum = 0;
  const augment = [{ resizedCrop: {} }, { flip: 'horizontal' }] as const;
  for (const { x } of batches(train, {
    ...{ batchSize: BATCH, seed: 1, epoch: 0, reuse: true },
    augment: [...augment] as never,
  }))
    sum += x[0]!;
  console.log(JSON.stringify({ readSeconds, epochSeconds: seconds(start), sum }));
}
