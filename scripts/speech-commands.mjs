/**
 * Sorts Google's Speech Commands (Warden 2018, version 0.02, CC BY 4.0), unpacked into `datasets/speech-commands`, into the twelve classes of
 * MLPerf Tiny's keyword spotting: `datasets/speech-commands-12` with `train`, `validation` and `test`, whose files are links.
 * `node scripts/speech-commands.mjs [--from FOLDER] [--test FOLDER] [--out FOLDER]`.
 *
 * `validation_list.txt` and `testing_list.txt` say which files are in which split. Of other words, and of the silence cut out of
 * `_background_noise_`, each split has as many as of a word on average, drawn by name; silence of validation and test is of `running_tap.wav`,
 * that of train of the other recordings. With `--test`, by default `datasets/speech-commands-test` where it is there, the test split is the
 * archive `speech_commands_test_set_v0.02`, on which MLPerf Tiny's target of 90 % stands.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { draws, RATE, SILENCE, UNKNOWN, wav, WORDS } from './sounds.mjs';

const NOISE = '_background_noise_';
const HELD_OUT = 'running_tap.wav';
const LISTS = { validation: 'validation_list.txt', test: 'testing_list.txt' };

const text = { type: 'string' };
const { values } = parseArgs({ options: { from: text, test: text, out: text } });
const datasets = path.join(path.dirname(fileURLToPath(import.meta.url)), '../datasets');
const from = path.resolve(values.from ?? path.join(datasets, 'speech-commands'));
const official = path.resolve(values.test ?? `${from}-test`);
const out = path.resolve(values.out ?? `${from}-12`);

for (const name of [...Object.values(LISTS), path.join(NOISE, HELD_OUT), ...WORDS])
  if (!existsSync(path.join(from, name)))
    stop(`${from} has no ${name}: unpack speech_commands_v0.02.tar.gz into it, or name its folder with --from`);
if (values.test !== undefined && !existsSync(path.join(official, SILENCE)))
  stop(`${official} has no ${SILENCE}: unpack speech_commands_test_set_v0.02.tar.gz into it`);
if (existsSync(out)) stop(`${out} is there already; remove it to make it anew`);

function stop(message) {
  console.error(message);
  process.exit(1);
}

/** The first `count` of names in an order drawn by the names themselves: more names change the place of none. */
function drawn(names, count) {
  const order = new Map(names.map((name) => [name, draws('speech-commands', name)()]));
  return [...names].sort((a, b) => order.get(a) - order.get(b) || (a < b ? -1 : 1)).slice(0, count);
}

/** Values from -1 to 1 of a WAV file of 16 bits, one channel and the rate of the data. */
function recording(file) {
  const bytes = readFileSync(file);
  const at = bytes.indexOf('data', 12, 'latin1');
  const isKnown = bytes.readUInt16LE(20) === 1 && bytes.readUInt16LE(22) === 1 && bytes.readUInt16LE(34) === 16;
  if (at === -1 || !isKnown || bytes.readUInt32LE(24) !== RATE)
    stop(`${file}: expected 16 bits, one channel and ${RATE} values a second`);
  const count = Math.floor(Math.min(bytes.readUInt32LE(at + 4), bytes.length - at - 8) / 2);
  return Float32Array.from({ length: count }, (_, i) => bytes.readInt16LE(at + 8 + 2 * i) / 32768);
}

const lists = Object.fromEntries(
  Object.entries(LISTS).map(([split, name]) => [
    split,
    new Set(readFileSync(path.join(from, name), 'utf8').split(/\s+/).filter(Boolean)),
  ]),
);
const splitOf = (file) => Object.keys(lists).find((split) => lists[split].has(file)) ?? 'train';
const folders = readdirSync(from, { withFileTypes: true }).filter((one) => one.isDirectory() && one.name !== NOISE);
const files = folders.flatMap(({ name }) => readdirSync(path.join(from, name)).map((file) => `${name}/${file}`));
const sounds = files.filter((file) => file.endsWith('.wav')).sort();

const temporary = `${out}.half`;
rmSync(temporary, { recursive: true, force: true });
const counts = {};

function place(split, label, name, make) {
  const folder = path.join(temporary, split, label);
  mkdirSync(folder, { recursive: true });
  make(path.join(folder, name));
  counts[split] = (counts[split] ?? 0) + 1;
}

for (const split of ['train', 'validation', 'test']) {
  if (split === 'test' && existsSync(path.join(official, SILENCE))) {
    for (const label of [...WORDS, UNKNOWN, SILENCE])
      for (const file of readdirSync(path.join(official, label)).filter((one) => one.endsWith('.wav')))
        place(split, label, file, (at) => symlinkSync(path.join(official, label, file), at));
    continue;
  }
  const mine = sounds.filter((file) => splitOf(file) === split);
  const isWord = (file) => WORDS.includes(path.posix.dirname(file));
  const words = mine.filter(isWord);
  const average = Math.round(words.length / WORDS.length);
  const others = drawn(mine.filter((file) => !isWord(file)), average); // prettier-ignore
  for (const file of [...words, ...others]) {
    const label = isWord(file) ? path.posix.dirname(file) : UNKNOWN;
    place(split, label, file.replace('/', '-'), (at) => symlinkSync(path.join(from, file), at));
  }
  const noises = readdirSync(path.join(from, NOISE))
    .filter((name) => name.endsWith('.wav') && (name === HELD_OUT) === (split !== 'train'))
    .sort()
    .map((name) => recording(path.join(from, NOISE, name)));
  // The first half of the recording that is held out for validation, the second for test.
  const stretch = (noise) => {
    const half = noise.length >> 1;
    return split === 'train' ? noise : split === 'validation' ? noise.subarray(0, half) : noise.subarray(half);
  };
  for (let i = 0; i < average; i++) {
    const next = draws('silence', split, i);
    const noise = stretch(noises[Math.floor(next() * noises.length)]);
    const start = Math.floor(next() * Math.max(1, noise.length - RATE));
    const loudness = next();
    const piece = noise.subarray(start, start + RATE).map((value) => loudness * value);
    place(split, SILENCE, `${String(i).padStart(5, '0')}.wav`, (at) => writeFileSync(at, wav(piece)));
  }
}
renameSync(temporary, out);
console.log(`${out}: ${Object.entries(counts).map(([split, count]) => `${split} ${count}`).join(', ')}`); // prettier-ignore
