/**
 * Makes `datasets/keywords`: spoken words as espeak-ng says them (Debian: `apt-get install espeak-ng`), one WAV file each, in the twelve
 * classes of MLPerf Tiny's keyword spotting. `node scripts/keywords.mjs [--samples 3600]`. Voices of the test split are in no other
 * split. The same arguments and the same espeak-ng give the same files.
 */
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const WORDS = ['yes', 'no', 'up', 'down', 'left', 'right', 'on', 'off', 'stop', 'go'];
const OTHERS = [
  'bed',
  'bird',
  'cat',
  'dog',
  'happy',
  'house',
  'marvin',
  'sheila',
  'tree',
  'wow',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'zero',
];
/** Accents of English, and timbres; a voice is one of each. */
const ACCENTS = ['en-us', 'en-gb', 'en-gb-scotland', 'en-gb-x-rp', 'en-gb-x-gbclan', 'en-gb-x-gbcwmd', 'en-029'];
const TIMBRES = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'f1', 'f2', 'f3', 'f4', 'f5', 'croak', 'klatt2', 'klatt4'];
const TEST_TIMBRES = ['m3', 'f2', 'klatt4'];
const RATE = 16_000;
const SPLITS = { train: 5 / 6, test: 1 / 6 };

const { values } = parseArgs({ options: { samples: { type: 'string', default: '3600' }, out: { type: 'string' } } });
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const out = path.resolve(values.out ?? path.join(root, 'datasets/keywords'));
const perClass = Math.round(Number(values.samples) / 12);

try {
  execFileSync('espeak-ng', ['--version'], { stdio: 'ignore' });
} catch {
  console.error('espeak-ng is not installed: apt-get install espeak-ng');
  process.exit(1);
}
if (existsSync(path.join(out, 'train'))) {
  console.error(`${out} has files already; remove it to make them anew`);
  process.exit(1);
}

/** Random numbers of a key, from 0 to 1: the same in every run. */
function draws(...key) {
  let count = 0;
  return () =>
    createHash('sha256')
      .update(JSON.stringify([...key, count++]))
      .digest()
      .readUInt32LE(0) /
    2 ** 32;
}

const pick = (list, share) => list[Math.floor(share * list.length)];

/** 16-bit sound of one channel as a WAV file. */
function wav(samples) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + 2 * samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(2 * RATE, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(2 * samples.length, 40);
  const body = Buffer.alloc(2 * samples.length);
  samples.forEach((value, i) => body.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(32767 * value))), 2 * i));
  return Buffer.concat([head, body]);
}

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
  if (name === '_silence_') return noise(next, RATE, 10 ** (-0.5 - 2.5 * next()));
  const timbres = TIMBRES.filter((timbre) => TEST_TIMBRES.includes(timbre) === (split === 'test'));
  return spoken(name === '_unknown_' ? pick(OTHERS, next()) : name, next, timbres);
}

const temporary = `${out}.half`;
rmSync(temporary, { recursive: true, force: true });
for (const [split, share] of Object.entries(SPLITS)) {
  for (const name of [...WORDS, '_unknown_', '_silence_']) {
    const folder = path.join(temporary, split, name);
    mkdirSync(folder, { recursive: true });
    for (let i = 0; i < Math.round(perClass * share); i++)
      writeFileSync(path.join(folder, `${String(i).padStart(5, '0')}.wav`), wav(sampleOf(name, split, i)));
  }
}
mkdirSync(out, { recursive: true });
for (const split of Object.keys(SPLITS)) renameSync(path.join(temporary, split), path.join(out, split));
rmSync(temporary, { recursive: true, force: true });
console.log(`${out}: ${12 * perClass} sounds`);
