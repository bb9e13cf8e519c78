/**
 * Makes `datasets/keywords`: spoken words as espeak-ng says them (Debian: `apt-get install espeak-ng`), one WAV file each, in the twelve
 * classes of MLPerf Tiny's keyword spotting. `node scripts/keywords.mjs [--samples 7200]`. No two splits share a voice; the files of
 * `unlabelled` lie in no folders of classes. The same arguments and the same espeak-ng give the same files.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { draws, RATE, SILENCE, UNKNOWN, wav, WORDS } from './sounds.mjs';

// prettier-ignore
const OTHERS = [
  'bed', 'bird', 'cat', 'dog', 'happy', 'house', 'marvin', 'sheila', 'tree', 'wow',
  'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'zero',
];
const CLASSES = [...WORDS, UNKNOWN, SILENCE];
/** Accents of English. A voice is one of them with one of the timbres of its split. */
const ACCENTS = ['en-us', 'en-gb', 'en-gb-scotland', 'en-gb-x-rp', 'en-gb-x-gbclan', 'en-gb-x-gbcwmd', 'en-029'];
/** Share of the sounds, and timbres: espeak-ng's variants of a voice. */
// prettier-ignore
const SPLITS = {
  train: { share: 4 / 12, timbres: ['m1', 'm2', 'm4', 'f1', 'f3', 'croak', 'klatt'] },
  unlabelled: {
    share: 5 / 12,
    timbres: ['m5', 'm6', 'm7', 'm8', 'f4', 'f5', 'klatt2', 'klatt3', 'Andy', 'Annie', 'linda', 'steph', 'rob', 'paul', 'max', 'ed', 'ian', 'zac'],
  },
  validation: { share: 1 / 12, timbres: ['belinda', 'david', 'edward', 'Alex'] },
  test: { share: 2 / 12, timbres: ['m3', 'f2', 'klatt4', 'adam', 'quincy', 'Andrea'] },
};

const { values } = parseArgs({ options: { samples: { type: 'string', default: '7200' }, out: { type: 'string' } } });
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const out = path.resolve(values.out ?? path.join(root, 'datasets/keywords'));
const perClass = Math.round(Number(values.samples) / CLASSES.length);
if (!(perClass >= 12)) stop(`--samples ${values.samples}: expected 144 or more`);

let variants = [];
try {
  variants = execFileSync('espeak-ng', ['--voices=variant'], { encoding: 'utf8' }).split(/\s+/);
} catch {
  stop('espeak-ng is not installed: apt-get install espeak-ng');
}
// For a variant that it does not have, espeak-ng speaks with its usual voice.
const missing = Object.values(SPLITS)
  .flatMap(({ timbres }) => timbres)
  .filter((timbre) => !variants.includes(`!v/${timbre}`));
if (missing.length > 0)
  stop(`this espeak-ng has no voice variant ${missing.join(', ')}: version 1.51 or later is needed`);
if (existsSync(path.join(out, 'train'))) stop(`${out} has files already; remove it to make them anew`);

function stop(text) {
  console.error(text);
  process.exit(1);
}

const pick = (list, share) => list[Math.floor(share * list.length)];

/** Noise of a room: low-pass filtered, with a slow swell. */
function noise(next, length, loudness) {
  const smooth = 0.2 + 0.79 * next();
  const swell = 1 + Math.floor(4 * next());
  let [last, state] = [0, Math.floor(next() * 2 ** 32)];
  return Float32Array.from({ length }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    last = smooth * last + (1 - smooth) * (state / 2 ** 31 - 1);
    return (
      (loudness * last * (1 + 0.5 * Math.sin((2 * Math.PI * swell * i) / length))) /
      Math.sqrt((1 - smooth) / (1 + smooth))
    );
  });
}

/** One second with a word somewhere in it, at the rate of the data, over noise. */
function spoken(word, next, timbres) {
  const voice = `${pick(ACCENTS, next())}+${pick(timbres, next())}`;
  const [speed, pitch] = [110 + Math.floor(120 * next()), 20 + Math.floor(60 * next())];
  const bytes = execFileSync('espeak-ng', ['-v', voice, '-s', String(speed), '-p', String(pitch), '--stdout', word]);
  const from = 22_050;
  const raw = new Int16Array(
    bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + bytes.length - (bytes.length % 2)),
  );
  const loud = raw.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const length = Math.min(RATE, Math.floor((raw.length * RATE) / from));
  const start = Math.floor(next() * (RATE - length));
  const level = 10 ** (-1.2 * next());
  const samples = noise(next, RATE, level * 10 ** (-0.3 - 1.5 * next()));
  for (let i = 0; i < length; i++) {
    const at = (i * from) / RATE;
    const [low, part] = [Math.floor(at), at % 1];
    samples[start + i] += (level * ((1 - part) * raw[low] + part * (raw[low + 1] ?? 0))) / loud;
  }
  return samples.map((value) => value * 0.7);
}

function sampleOf(name, split, i) {
  const next = draws('keywords', split, name, i);
  if (name === SILENCE) return noise(next, RATE, 10 ** (-0.5 - 2.5 * next()));
  return spoken(name === UNKNOWN ? pick(OTHERS, next()) : name, next, SPLITS[split].timbres);
}

const temporary = `${out}.half`;
rmSync(temporary, { recursive: true, force: true });
let count = 0;
for (const [split, { share }] of Object.entries(SPLITS)) {
  for (const name of CLASSES) {
    const isLabelled = split !== 'unlabelled';
    const folder = path.join(temporary, split, isLabelled ? name : '');
    mkdirSync(folder, { recursive: true });
    for (let i = 0; i < Math.round(perClass * share); i++) {
      // Without classes in their names, files lie in an order that says nothing of them.
      const number = isLabelled ? String(i).padStart(5, '0') : `${draws('name', name, i)().toString(36).slice(2)}-${i}`;
      writeFileSync(path.join(folder, `${number}.wav`), wav(sampleOf(name, split, i)));
      count++;
    }
  }
}
mkdirSync(out, { recursive: true });
for (const split of Object.keys(SPLITS)) renameSync(path.join(temporary, split), path.join(out, split));
rmSync(temporary, { recursive: true, force: true });
console.log(`${out}: ${count} sounds`);
