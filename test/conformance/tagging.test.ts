import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { wordEncoderOf } from '../../src/data/text/tokenizer/words.ts';
import { tokenizerOf } from '../../src/data/text/tokenizer/tokenizer-json.ts';
import type { TokenizerJson } from '../../src/data/text/tokenizer/tokenizer-json.ts';
import { NO_TAG } from '../../src/answers/tags/labels.ts';
import { bordersOf, countsByType, f1OfCounts, total } from '../../src/answers/tags/entities.ts';
import { textsOfMany } from '../support/texts.ts';
import { runPython } from './python.ts';
import { areNear, teacherAnswers } from './teacher-answers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tagging-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  /** Tags of the entities of seqeval; plain tags stand behind S- there. */
  readonly plain: boolean;
  readonly names: readonly string[];
  readonly sentences: readonly { readonly truth: readonly number[]; readonly given: readonly number[] }[];
}

interface Figures {
  readonly f1: number;
  readonly accuracy: number;
  readonly types: Readonly<Record<string, readonly [precision: number, recall: number, f1: number, support: number]>>;
}

const SCHEMES: readonly (readonly string[])[] = [
  ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC', 'B-A-B', 'I-A-B'],
  ['I-LOC', 'O', 'I-PER', 'B-PER', 'B-LOC'],
  ['O', 'B-X', 'I-X', 'E-X', 'S-X', 'B-Y', 'I-Y', 'E-Y', 'S-Y'],
  ['B', 'I', 'O'],
  ['NOUN', 'VERB', 'ADJ', 'PUNCT'],
];

/** Sentences whose tags follow no rule at all: also those that a scheme does not allow. */
function cases(): Case[] {
  return Array.from({ length: 60 }, (_, i) => {
    const random = new RandomStream('tagging', i);
    const names = SCHEMES[i % SCHEMES.length]!;
    const tag = (): number => random.below(names.length);
    const sentences = Array.from({ length: 30 }, () => {
      const truth = Array.from({ length: 1 + random.below(12) }, tag);
      return { truth, given: truth.map((one) => (random.uniform() < 0.75 ? one : tag())) };
    });
    return { plain: names.includes('NOUN'), names, sentences };
  });
}

it('F1 of entities, type by type, and the share of right words are those of seqeval', () => {
  const all = cases();
  writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(all));
  const expected = runPython('tagging_check.py', folder, 'scores') as Figures[];
  all.forEach(({ names, sentences }, i) => {
    const counts = countsByType(sentences, bordersOf(names));
    const { f1, accuracy, types } = expected[i]!;
    expect(f1OfCounts(total(counts.values()))).toBeCloseTo(f1, 12);
    const words = sentences.flatMap(({ truth, given }) => truth.map((tag, at) => tag === given[at]));
    expect(words.filter(Boolean).length / words.length).toBeCloseTo(accuracy, 12);
    for (const [type, [precision, recall, own, support]] of Object.entries(types)) {
      const count = counts.get(type)!;
      expect([type, count.there]).toEqual([type, support]);
      expect(count.given === 0 ? 0 : count.right / count.given).toBeCloseTo(precision, 12);
      expect(count.there === 0 ? 0 : count.right / count.there).toBeCloseTo(recall, 12);
      expect(f1OfCounts(count)).toBeCloseTo(own, 12);
    }
  });
});

interface Tokenized {
  readonly names: readonly string[];
  readonly tags: readonly string[];
}

it('words become the tokens of the Rust package, and an exported teacher gives each the tags that PyTorch gives', async () => {
  const sentences = textsOfMany(300, false)
    .map((text) => text.split(/\s+/u).filter((word) => /[^\p{White_Space}\0\uFFFD]/u.test(word)))
    .filter((words) => words.length < 40 && words.some((word) => /\p{L}/u.test(word)));
  const names = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
  const rows = sentences.map((tokens, i) => ({ tokens, tags: tokens.map((_, at) => names[(i + at) % names.length]!) }));
  writeFileSync(path.join(folder, 'words.json'), JSON.stringify(sentences));
  writeFileSync(path.join(folder, 'train.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const { names: models } = runPython('tagging_check.py', folder, 'models') as Tokenized;
  expect(models).toEqual(['bert', 'distilbert']);
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  for (const name of models) {
    const { ids, words, logits } = read(`${name}.json`) as { ids: number[][]; words: number[][]; logits: number[][][] };
    const tokenizer = tokenizerOf(read(`${name}.tokenizer.json`) as TokenizerJson);
    const encode = wordEncoderOf(tokenizer, { tokenizer: 'tokenizer.json', length: 48, padding: 0 });
    sentences.forEach((sentence, i) => {
      const encoded = encode(sentence);
      expect([...encoded.ids]).toEqual(ids[i]);
      expect([...encoded.words]).toEqual(words[i]);
    });
    const recipe = {
      name: 'tags',
      dataset: {
        ...{ type: 'jsonl', task: 'tagging', train: 'train.jsonl', validation: 3, classes: names, label: 'tags' },
        text: { column: 'tokens', tokenizer: `${name}.tokenizer.json`, length: 48 },
      },
      teacher: { onnx: `${name}.onnx` },
    };
    const { train, given } = await teacherAnswers(recipe, folder);
    const pairs: [number, number][] = [];
    train.ids.forEach((id, row) => {
      for (let at = 0; at < 48; at++) {
        if (train.targets[row * 48 + at] === NO_TAG) continue;
        logits[id]![at]!.forEach((value, c) => pairs.push([value, given[(row * 48 + at) * names.length + c]!]));
      }
    });
    expect([name, pairs.length > 500 * names.length, areNear(pairs)]).toEqual([name, true, true]);
  }
});
