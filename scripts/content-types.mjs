/**
 * Makes `datasets/content-types`: the beginnings of source files of this machine, by the ending of their names.
 * `node scripts/content-types.mjs [--samples 400] [--from FOLDER ...] [--magika MODEL_FOLDER]`. FOLDERs are walked through; default:
 * node_modules, /usr/lib/python3 and /usr/share. A file goes to the test split by its folder, so that files of one folder are in one
 * split. With --magika, the folder of a model in the package magika of PyPI (model.onnx beside config.min.json), it also asks that model
 * about the whole files: train-magika.npy has its logits for the classes here, row by row, and test-magika.jsonl the test split with its answers
 * in place of the labels.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs'; // prettier-ignore
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs, TextDecoder } from 'node:util';

/** Names of the classes are those of Magika. */
const TYPES = {
  c: ['.c', '.h'],
  cpp: ['.cc', '.cpp', '.hpp', '.cxx'],
  css: ['.css'],
  csv: ['.csv'],
  html: ['.html', '.htm'],
  java: ['.java'],
  javascript: ['.js', '.mjs', '.cjs'],
  json: ['.json'],
  markdown: ['.md'],
  perl: ['.pl', '.pm'],
  php: ['.php'],
  python: ['.py'],
  rust: ['.rs'],
  shell: ['.sh', '.bash'],
  svg: ['.svg'],
  tcl: ['.tcl'],
  toml: ['.toml'],
  typescript: ['.ts', '.mts', '.cts'],
  xml: ['.xml'],
  yaml: ['.yaml', '.yml'],
};
const CLASS_OF = new Map(Object.entries(TYPES).flatMap(([name, endings]) => endings.map((ending) => [ending, name])));
/** Bytes of a sample, fewest bytes of a file, and share of the folders that are the test split. */
const [BYTES, FEWEST, TEST] = [1024, 64, 0.2];
/** Files of a class in one folder at most, so that none of them is all of a class. */
const MOST_OF_FOLDER = 20;
/** A class of fewer files is left out. */
const LEAST = 60;

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '400' },
    from: { type: 'string', multiple: true },
    magika: { type: 'string' },
    out: { type: 'string' },
  },
});
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const out = path.resolve(values.out ?? path.join(root, 'datasets/content-types'));
const from = values.from ?? [path.join(root, 'node_modules'), '/usr/lib/python3', '/usr/share'];
const most = Number(values.samples);
if (existsSync(path.join(out, 'train.jsonl'))) {
  console.error(`${out} has files already; remove it to make them anew`);
  process.exit(1);
}

/** A number from 0 to 1 that follows from a text. */
function chance(key) {
  return createHash('sha256').update(key).digest().readUInt32BE() / 2 ** 32;
}

function* walk(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return;
  }
  for (const entry of entries) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(place);
    else if (entry.isFile() && CLASS_OF.has(path.extname(entry.name).toLowerCase())) yield place;
  }
}

/** Beginning and end of a file. */
function endsOf(place, size) {
  const handle = openSync(place, 'r');
  try {
    const length = fstatSync(handle).size;
    const read = (at) => {
      const buffer = Buffer.alloc(Math.min(size, length));
      return buffer.subarray(0, readSync(handle, buffer, 0, buffer.length, at));
    };
    return { length, start: read(0), end: read(Math.max(0, length - size)) };
  } finally {
    closeSync(handle);
  }
}

/** The longest beginning of so many bytes that is UTF-8 and holds no zero; undefined where the bytes are none. */
function textOf(bytes) {
  const part = bytes.subarray(0, BYTES);
  if (part.includes(0)) return undefined;
  for (let cut = 0; cut < 4; cut++) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part.subarray(0, part.length - cut));
    } catch {
      if (bytes.length <= BYTES) return undefined;
    }
  }
  return undefined;
}

const found = new Map(Object.keys(TYPES).map((name) => [name, []]));
for (const folder of from) for (const place of walk(path.resolve(folder))) found.get(CLASS_OF.get(path.extname(place).toLowerCase())).push(place); // prettier-ignore

const splits = { train: [], test: [] };
const seen = new Set();
const left = [];
for (const [name, files] of found) {
  const wanted = { train: most, test: Math.round(most * TEST) };
  const taken = { train: [], test: [] };
  const ofFolder = new Map();
  const order = files
    .map((place) => ({ place, key: chance(path.relative(root, place)) }))
    .sort((a, b) => a.key - b.key);
  for (const file of order) {
    const owner = path.relative(root, path.dirname(file.place));
    const split = chance(owner) < TEST ? 'test' : 'train';
    if (taken[split].length >= wanted[split] || (ofFolder.get(owner) ?? 0) >= MOST_OF_FOLDER) continue;
    if (!lstatSync(file.place).isFile()) continue;
    const { length, start, end } = endsOf(file.place, 4096);
    const text = length < FEWEST ? undefined : textOf(start);
    if (text === undefined || text.trim().length < FEWEST / 2) continue;
    const hash = createHash('sha256').update(text).digest('hex');
    if (seen.has(hash)) continue;
    seen.add(hash);
    ofFolder.set(owner, (ofFolder.get(owner) ?? 0) + 1);
    taken[split].push({ text, label: name, start, end });
  }
  if (taken.train.length + taken.test.length < LEAST || taken.test.length < 5) {
    left.push(`${name} (${taken.train.length + taken.test.length})`);
    continue;
  }
  splits.train.push(...taken.train);
  splits.test.push(...taken.test);
}
const names = [...new Set(splits.train.map(({ label }) => label))].sort();
const lines = (rows) => rows.map(({ text, label }) => `${JSON.stringify({ text, label })}\n`).join('');
mkdirSync(out, { recursive: true });
for (const [split, rows] of Object.entries(splits)) writeFileSync(path.join(out, `${split}.jsonl`), lines(rows));
console.log(
  `${out}: ${splits.train.length} files to train on, ${splits.test.length} to test, ${names.length} classes: ${names.join(', ')}`,
);
if (left.length > 0) console.log(`too few files: ${left.join(', ')}`);

if (values.magika !== undefined) {
  const ort = await import('onnxruntime-node');
  const config = JSON.parse(readFileSync(path.join(values.magika, 'config.min.json'), 'utf8'));
  const session = await ort.InferenceSession.create(path.join(values.magika, 'model.onnx'), { intraOpNumThreads: 1 });
  const {
    beg_size: begin,
    end_size: end,
    block_size: block,
    padding_token: padding,
    target_labels_space: space,
  } = config;
  if (block !== 4096 || config.mid_size !== 0)
    throw new Error('expected a model of 4096 bytes at both ends and none between');
  const columns = names.map((name) => space.indexOf(name));
  const missing = names.filter((_, i) => columns[i] === -1);
  if (missing.length > 0) throw new Error(`magika has no class ${missing.join(', ')}`);
  const isSpace = (byte) => byte === 32 || (byte >= 9 && byte <= 13);
  const stripped = (bytes, isStart) => {
    let [a, b] = [0, bytes.length];
    if (isStart) while (a < b && isSpace(bytes[a])) a++;
    else while (b > a && isSpace(bytes[b - 1])) b--;
    return bytes.subarray(a, b);
  };
  const inputOf = (row) => {
    const values = new Int32Array(begin + end).fill(padding);
    const [first, last] = [stripped(row.start, true).subarray(0, begin), stripped(row.end, false).subarray(-end)];
    values.set(first);
    values.set(last, begin + end - last.length);
    return values;
  };
  const ask = async (rows) => {
    const all = [];
    for (let at = 0; at < rows.length; at += 64) {
      const some = rows.slice(at, at + 64);
      const data = Int32Array.from(some.flatMap((row) => [...inputOf(row)]));
      const [input, output] = [session.inputNames[0], session.outputNames[0]];
      const result = await session.run({ [input]: new ort.Tensor('int32', data, [some.length, begin + end]) });
      const { data: scores, dims } = result[output];
      for (let i = 0; i < some.length; i++) all.push(scores.slice(i * dims[1], (i + 1) * dims[1]));
    }
    return all;
  };
  const [train, test] = [await ask(splits.train), await ask(splits.test)];
  // Its answers are probabilities of all of its classes; among those here they are logits after a logarithm.
  const logits = Float32Array.from(train.flatMap((row) => columns.map((c) => Math.log(Math.max(row[c], 1e-7)))));
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${train.length}, ${names.length}), }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8]),
    Buffer.from(padded),
  ]);
  writeFileSync(path.join(out, 'train-magika.npy'), Buffer.concat([head, Buffer.from(logits.buffer)]));
  const best = (row) => names[columns.reduce((most, c, i) => (row[c] > row[columns[most]] ? i : most), 0)];
  const answered = splits.test.map((row, i) => ({ ...row, label: best(test[i]) }));
  writeFileSync(path.join(out, 'test-magika.jsonl'), lines(answered));
  const right = answered.filter(({ label }, i) => label === splits.test[i].label).length;
  console.log(
    `magika gives the class of the ending to ${((100 * right) / answered.length).toFixed(2)} % of the test split`,
  );
}
