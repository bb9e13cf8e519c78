/**
 * Makes sounds for a wake word: `node scripts/wake-word.mjs --word "hey limbeck" [--samples 1500] [--minutes 20] [--out datasets/wake-word]`. espeak-ng
 * (Debian: `apt-get install espeak-ng`) says the word, other words, and sentences of the documents of this project. `train`, `validation` and `test` have
 * a folder for each class with clips of 1.5 s, of which a third holds the word, up to its end; `recordings` has minutes of sentences and noise without it. No
 * two splits share a voice. The same arguments and the same espeak-ng give the same files.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { draws, RATE, wav } from './sounds.mjs';

const SECONDS = 1.5;
const ACCENTS = ['en-us', 'en-gb', 'en-gb-scotland', 'en-gb-x-rp', 'en-gb-x-gbclan', 'en-gb-x-gbcwmd', 'en-029'];
/** Share of the clips, and timbres: espeak-ng's variants of a voice. */
const SPLITS = {
  train: {
    share: 0.6,
    timbres: ['m1', 'm2', 'm4', 'm5', 'f1', 'f3', 'f4', 'croak', 'klatt', 'klatt2', 'Andy', 'Annie', 'linda', 'rob'],
  },
  validation: { share: 0.15, timbres: ['belinda', 'david', 'edward', 'Alex', 'm6'] },
  test: { share: 0.25, timbres: ['m3', 'f2', 'klatt4', 'adam', 'quincy', 'Andrea'] },
};
const RECORDED = ['m7', 'm8', 'f5', 'klatt3', 'steph', 'paul', 'max'];

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    word: { type: 'string' },
    samples: { type: 'string', default: '1500' },
    minutes: { type: 'string', default: '20' },
    out: { type: 'string', default: path.join(root, 'datasets/wake-word') },
  },
});
const { word } = values;
const out = path.resolve(values.out);
const [samples, minutes] = [Number(values.samples), Number(values.minutes)];
if (word === undefined || word.trim() === '') stop('--word: expected the wake word, as in --word "hey limbeck"');
if (!(samples >= 60)) stop(`--samples ${values.samples}: expected 60 or more`);
if (!(minutes >= 1)) stop(`--minutes ${values.minutes}: expected 1 or more`);
if (existsSync(path.join(out, 'train'))) stop(`${out} has files already; remove it to make them anew`);
try {
  execFileSync('espeak-ng', ['--version']);
} catch {
  stop('espeak-ng is not installed: apt-get install espeak-ng');
}

function stop(text) {
  console.error(text);
  process.exit(1);
}

const pick = (list, share) => list[Math.floor(share * list.length)];

const documents = path.join(root, 'docs');
const SENTENCES = readdirSync(documents)
  .filter((name) => name.endsWith('.md'))
  .sort()
  .flatMap((name) =>
    readFileSync(path.join(documents, name), 'utf8')
      .replace(/```[\s\S]*?```|[`*|[\]()#<>_]/g, ' ')
      .split(/(?<=[.:?])\s+/),
  )
  .map((sentence) => sentence.replace(/\s+/g, ' ').trim())
  .filter(
    (sentence) =>
      /^[A-Z][\w ,;'-]{20,150}[.:?]$/.test(sentence) && !sentence.toLowerCase().includes(word.toLowerCase()),
  );
const WORDS = SENTENCES.join(' ')
  .toLowerCase()
  .match(/[a-z]{3,}/g);

/** Room noise: low-pass filtered. */
function noise(next, length, loudness) {
  const smooth = 0.2 + 0.79 * next();
  let [last, state] = [0, Math.floor(next() * 2 ** 32)];
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    last = smooth * last + (1 - smooth) * (state / 2 ** 31 - 1);
    return (loudness * last) / Math.sqrt((1 - smooth) / (1 + smooth));
  });
}

/** What a voice says, at the rate of the data, its loudest value 1, without the silence around it. */
function said(text, next, timbres) {
  const voice = `${pick(ACCENTS, next())}+${pick(timbres, next())}`;
  const [speed, pitch] = [120 + Math.floor(90 * next()), 20 + Math.floor(60 * next())];
  const bytes = execFileSync('espeak-ng', ['-v', voice, '-s', String(speed), '-p', String(pitch), '--stdout', text], {
    maxBuffer: 2 ** 26,
  });
  const from = 22_050;
  const all = new Int16Array(
    bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + bytes.length - (bytes.length % 2)),
  );
  const loud = all.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const heard = (value) => Math.abs(value) > loud / 50;
  const raw = all.subarray(all.findIndex(heard), all.findLastIndex(heard) + 1);
  return Float32Array.from({ length: Math.floor((raw.length * RATE) / from) }, (_, i) => {
    const at = (i * from) / RATE;
    const [low, part] = [Math.floor(at), at % 1];
    return ((1 - part) * raw[low] + part * (raw[low + 1] ?? 0)) / loud;
  });
}

/** Adds a voice to `samples` so that it ends at `end`; what begins before the sound is cut. */
function add(samples, voice, end, level) {
  voice.forEach((value, i) => {
    const at = end - voice.length + i;
    if (at >= 0 && at < samples.length) samples[at] += level * value;
  });
}

/** A text that is not the word: one of its parts, other words, or a sentence. */
function other(next) {
  const parts = word.split(/\s+/);
  const kind = next();
  if (parts.length > 1 && kind < 0.2) return pick(parts, next());
  if (kind < 0.3) return `${pick(WORDS, next())} ${parts.at(-1)}`;
  if (kind < 0.4) return `${parts[0]} ${pick(WORDS, next())}`;
  return kind < 0.6 ? `${pick(WORDS, next())} ${pick(WORDS, next())}` : pick(SENTENCES, next());
}

function clip(label, split, i) {
  const next = draws('wake-word', word, split, label, i);
  const length = SECONDS * RATE;
  const level = 0.7 * 10 ** (-1.2 * next());
  const samples = noise(next, length, level * 10 ** (-0.5 - 1.5 * next()));
  const { timbres } = SPLITS[split];
  if (label === 'word') add(samples, said(word, next, timbres), Math.floor(length - 0.2 * RATE * next()), level);
  else if (next() < 0.9) add(samples, said(other(next), next, timbres), Math.floor(length * (0.5 + next())), level);
  return samples;
}

/** A minute of sentences with pauses, over noise. */
function recording(minute) {
  const next = draws('wake-word', word, 'recordings', minute);
  const length = 60 * RATE;
  const level = 0.7 * 10 ** (-1.2 * next());
  const samples = noise(next, length, level * 10 ** (-0.5 - 1.5 * next()));
  for (let at = 0; at < length; at += Math.floor(RATE * next())) {
    const voice = said(next() < 0.8 ? pick(SENTENCES, next()) : other(next), next, RECORDED);
    at += voice.length;
    add(samples, voice, at, level);
  }
  return samples;
}

const temporary = `${out}.half`;
rmSync(temporary, { recursive: true, force: true });
const write = (place, name, values) => {
  mkdirSync(path.join(temporary, place), { recursive: true });
  writeFileSync(path.join(temporary, place, `${String(name).padStart(5, '0')}.wav`), wav(values));
};
let count = 0;
for (const [split, { share }] of Object.entries(SPLITS))
  for (const [label, part] of [
    ['word', 1 / 3],
    ['other', 2 / 3],
  ])
    for (let i = 0; i < Math.round(samples * share * part); i++, count++)
      write(`${split}/${label}`, i, clip(label, split, i));
for (let minute = 0; minute < minutes; minute++) write('recordings', minute, recording(minute));
mkdirSync(out, { recursive: true });
for (const name of readdirSync(temporary)) renameSync(path.join(temporary, name), path.join(out, name));
rmSync(temporary, { recursive: true, force: true });
console.log(`${out}: ${count} clips of ${SECONDS} s, ${minutes} minutes of recordings`);
