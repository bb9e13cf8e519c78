import { Buffer } from 'node:buffer';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { cli, done, hashes, hold, mpirun, root, start } from './harness.mjs';
import { parquetOf } from './parquet.mjs';

// Few enough that no run times steps before its first, which reads some rows more.
const [ROWS, ROW_BYTES, BATCH] = [2500, 28 * 28, 250];
const TRAININGS = 2;
const SPLITS = ['train', 'validation', 'test'];

/**
 * Samples that do not fit into memory: each process reads those of its own parts of every batch from the file, and its part of what models are
 * evaluated on; and all end with the bytes of one process.
 */
export async function readsOfEach(launcher, folder) {
  const recipe = path.join(folder, 'reads.json');
  writeFileSync(recipe, JSON.stringify(written(folder)));
  const args = (out) => ['run', recipe, '--quiet', '--out', path.join(folder, out)];
  const counting = (out) => {
    const READS = path.join(folder, `${out}-reads`);
    mkdirSync(READS);
    const preload = `--import ${fileURLToPath(new URL('counted-reads.mjs', import.meta.url))}`;
    return { env: { READS, ROW_BYTES: String(ROW_BYTES), FREE_BYTES: '3.75e6', NODE_OPTIONS: preload } };
  };
  await done(start('node', [cli, ...args('reads-alone')], counting('reads-alone')));
  const expected = hashes(path.join(folder, 'reads-alone/reads'));
  const alone = rowsOf(folder, 'reads-alone', 0);
  hold(
    'samples that do not fit into memory: one process reads each once for an epoch',
    everyRow(alone.batches.train, TRAININGS),
  );
  for (const n of [2, 4]) {
    const out = `reads-${n}`;
    await done(mpirun(launcher, n, args(out), counting(out)));
    hold(`${n} processes: the bytes of one`, hashes(path.join(folder, out, 'reads')) === expected);
    const ranks = Array.from({ length: n }, (_, rank) => rowsOf(folder, out, rank));
    const inBatches = ranks.map(({ batches }) => batches.train.length);
    // Shards of 250 samples are of 31 and 32.
    const most = TRAININGS * (ROWS / BATCH) * 32 * (8 / n);
    hold(
      `${n} processes read each sample of an epoch once between them, each its own: ${inBatches.join(', ')}`,
      everyRow(
        ranks.flatMap(({ batches }) => batches.train),
        TRAININGS,
      ) && inBatches.every((count) => count <= most),
    );
    const evaluated = ranks.map(({ main }) => main.validation.length + main.test.length);
    const whole = alone.main.validation.length + alone.main.test.length;
    // Each reads some more for itself, to compare files with what they were made from.
    const more = 1600;
    hold(
      `${n} processes share what models are evaluated on: ${evaluated.join(', ')} of ${whole}`,
      evaluated.every((count) => count <= whole / n + more) && whole / n > 2 * more,
    );
  }
}

/** Pictures in a folder, which the processes decode together: all end with the bytes of one, white pixels too, which are no number as floats. */
export async function picturesOfAll(launcher, folder) {
  const [images, labels] = [unpacked('t10k-images-idx3').subarray(16), unpacked('t10k-labels-idx1').subarray(8)];
  for (let i = 0; i < 200; i++) {
    const of = path.join(folder, 'pictures', String(labels[i]));
    mkdirSync(of, { recursive: true });
    const pixels = Buffer.from(images.subarray(i * ROW_BYTES, (i + 1) * ROW_BYTES)).fill(255, 0, 4);
    const file = path.join(of, `${String(i).padStart(3, '0')}.png`);
    await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toFile(file);
  }
  const recipe = path.join(folder, 'pictures.json');
  const dataset = { type: 'image-folder', train: path.join(folder, 'pictures'), testFraction: 0.2 };
  const short = { epochs: 2, batchSize: 40 };
  writeFileSync(recipe, JSON.stringify({ ...usual('pictures', short), dataset }));
  const args = (out) => ['run', recipe, '--quiet', '--out', path.join(folder, out)];
  await done(start('node', [cli, ...args('pictures-alone')]));
  const expected = hashes(path.join(folder, 'pictures-alone/pictures'));
  await done(mpirun(launcher, 3, args('pictures-3')));
  hold(
    'pictures that 3 processes decode: the bytes of one',
    hashes(path.join(folder, 'pictures-3/pictures')) === expected,
  );
}

/** Tables, of which each split is parsed by one of the processes. */
export async function tablesOfAll(launcher, folder) {
  const digits = (name) => path.join(root, 'datasets/digits', `${name}.csv`);
  const all = { label: 'digit', shape: [8, 8, 1], normalize: { mean: 0, std: 16 }, limit: 300 };
  await tableOfAll(launcher, folder, { ...all, type: 'csv', train: digits('train'), test: digits('test') });
  const packed = (name) => {
    const [names, ...rows] = readFileSync(digits(name), 'utf8').trim().split('\n').map((line) => line.split(',')); // prettier-ignore
    const file = path.join(folder, `${name}.parquet`);
    const columns = names.map((column, i) => [column, rows.map((row) => Number(row[i]))]);
    writeFileSync(file, parquetOf(Object.fromEntries(columns)));
    return [file, names.filter((column) => column !== 'digit')];
  };
  const [[train, features], [test]] = [packed('train'), packed('test')];
  await tableOfAll(launcher, folder, { ...all, type: 'parquet', features, train, test });
}

async function tableOfAll(launcher, folder, dataset) {
  const { type } = dataset;
  const recipe = path.join(folder, `${type}.json`);
  writeFileSync(recipe, JSON.stringify({ ...usual('table', { epochs: 8, batchSize: 40 }), dataset }));
  const args = (out) => ['run', recipe, '--quiet', '--out', path.join(folder, `${type}-${out}`)];
  await done(start('node', [cli, ...args('alone')]));
  const OPENS = path.join(folder, `${type}-opens`);
  mkdirSync(OPENS);
  const NODE_OPTIONS = `--import ${fileURLToPath(new URL('counted-opens.mjs', import.meta.url))}`;
  await done(mpirun(launcher, 3, args('3'), { env: { OPENS, NODE_OPTIONS } }));
  const opened = [0, 1, 2].map((rank) => {
    const log = path.join(OPENS, String(rank));
    const names = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    return [...new Set(names.filter((name) => name.endsWith(`.${type}`)))].join();
  });
  const of = (out) => hashes(path.join(folder, `${type}-${out}/table`));
  hold(
    `a table (${type}) that one of 3 processes parses, each split another one: the bytes of one`,
    of('3') === of('alone') &&
      opened.filter((names) => names === `train.${type}`).length === 1 &&
      opened.filter((names) => names === `test.${type}`).length === 1 &&
      opened.filter((names) => names === '').length === 1,
    opened.join(' | '),
  );
}

function unpacked(name) {
  return gunzipSync(readFileSync(path.join(root, 'datasets/fashion-mnist', `${name}-ubyte.gz`)));
}

/** Clothes in files that are not compressed, which are read where they are. */
function written(folder) {
  const source = { train: ['train', 0], validation: ['train', ROWS], test: ['t10k', 0] };
  const splits = SPLITS.map((split) => {
    const [from, first] = source[split];
    const files = { images: path.join(folder, `${split}-x.idx`), labels: path.join(folder, `${split}-y.idx`) };
    for (const [file, name, head, size] of [
      [files.images, `${from}-images-idx3`, 16, ROW_BYTES],
      [files.labels, `${from}-labels-idx1`, 8, 1],
    ]) {
      const bytes = unpacked(name);
      const cut = Buffer.concat([
        bytes.subarray(0, head),
        bytes.subarray(head + first * size, head + (first + ROWS) * size),
      ]);
      cut.writeUInt32BE(ROWS, 4);
      writeFileSync(file, cut);
    }
    return [split, files];
  });
  const dataset = { type: 'idx', ...Object.fromEntries(splits), augment: [{ shift: 1 }] };
  return { ...usual('reads', { epochs: 1, batchSize: BATCH }), dataset };
}

/** A recipe but for its data. */
function usual(name, short) {
  return {
    name,
    ...{ shards: 8, threads: 1, baseline: false },
    teacher: { train: { model: 'mlp', hidden: [16], ...short } },
    student: { model: 'mlp', hidden: [8] },
    distill: short,
    report: { latency: { seconds: 0 } },
  };
}

/** Rows that a process has read one by one, by its thread and the file: for batches, and for all else. */
function rowsOf(folder, out, rank) {
  const of = (thread) => {
    const log = path.join(folder, `${out}-reads`, `${rank}-${thread}`);
    const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    const rows = lines.map((line) => line.split(' '));
    return Object.fromEntries(
      SPLITS.map((split) => [
        split,
        rows.filter(([file]) => file === `${split}-x.idx`).map(([, position]) => (Number(position) - 16) / ROW_BYTES),
      ]),
    );
  };
  return { batches: of('batches'), main: of('main') };
}

/** True if each row is there so many times. */
function everyRow(rows, times) {
  const counts = new Uint32Array(ROWS);
  for (const row of rows) counts[row]++;
  return rows.length === times * ROWS && counts.every((count) => count === times);
}
