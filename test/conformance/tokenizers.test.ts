import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as portOfHuggingFace from '@huggingface/tokenizers';
import { encoderOf, isWord } from '../../src/data/text/tokenizer/encode.ts';
import type { TextForm } from '../../src/data/text/tokenizer/encode.ts';
import { tokenizerOf } from '../../src/data/text/tokenizer/tokenizer-json.ts';
import type { Tokenizer, TokenizerJson } from '../../src/data/text/tokenizer/tokenizer-json.ts';
import { TEXTS, textsOfMany } from '../support/texts.ts';
import { runPython } from './python.ts';

/** As the Rust package gives them, [ids, token types] where a template was filled in. */
interface Expected {
  readonly whole: readonly (readonly number[])[];
  readonly cut: readonly (readonly [number[], number[]])[];
  readonly pair: Expected['cut'];
  readonly left: Expected['cut'];
}

const folder = mkdtempSync(path.join(tmpdir(), 'tokenizers-'));
// The encoder of samples refuses blank texts, which random seeds draw too.
const texts = textsOfMany(TEXTS).map((text) => (isWord(text) ? text : 'nothing'));
const read = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
let names: readonly string[] = [];

beforeAll(() => {
  writeFileSync(path.join(folder, 'texts.json'), JSON.stringify(texts));
  writeFileSync(path.join(folder, 'learned.json'), JSON.stringify(textsOfMany(2000, false)));
  names = runPython('tokenizers_check.py', folder) as string[];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a sample is without its padding. */
function encoded(tokenizer: Tokenizer, samples: readonly string[][], settings: Pick<TextForm, 'length' | 'truncate'>) {
  const form = { tokenizer: 'tokenizer.json', vocabulary: tokenizer.vocabulary, padding: -1, ...settings } as const;
  const encode = encoderOf(tokenizer, { ...form, texts: samples[0]!.length as 1 | 2 });
  return samples.map((sample) => {
    const { ids, mask, types } = encode(sample);
    const size = mask.lastIndexOf(1) + 1;
    return [[...ids.subarray(0, size)], [...types.subarray(0, size)]];
  });
}

it(`the ids of ${TEXTS} texts of many scripts are those of the Rust package, for tokenizers of every kind`, () => {
  const found = names.map((name) => {
    const expected = read(`${name}.ids.json`) as Expected;
    const tokenizer = tokenizerOf(read(`${name}.tokenizer.json`) as TokenizerJson);
    const pairs = texts.slice(0, 500).map((text, i) => [text, texts[500 + i]!]);
    const singles = texts.slice(0, 500).map((text) => [text]);
    const other = (ours: readonly unknown[], theirs: readonly unknown[]): number =>
      ours.filter((one, i) => JSON.stringify(one) !== JSON.stringify(theirs[i])).length;
    const ours = texts.map((text) => tokenizer.ids(text, false));
    const at = ours.findIndex((one, i) => JSON.stringify(one) !== JSON.stringify(expected.whole[i]));
    return {
      name,
      ...(at !== -1 && { text: texts[at], ours: ours[at], theirs: expected.whole[at] }),
      whole: other(ours, expected.whole),
      cut: other(encoded(tokenizer, singles, { length: 24, truncate: 'end' }), expected.cut),
      pair: other(encoded(tokenizer, pairs, { length: 24, truncate: 'end' }), expected.pair),
      left: other(encoded(tokenizer, pairs, { length: 25, truncate: 'start' }), expected.left),
    };
  });
  expect(found).toEqual(names.map((name) => ({ name, whole: 0, cut: 0, pair: 0, left: 0 })));
  expect(names.length).toBe(17);
});

/** The types of the package cannot be resolved by Node's rules: they import without extensions. */
const { Tokenizer: Port } = portOfHuggingFace as unknown as {
  Tokenizer: new (
    json: unknown,
    config: object,
  ) => { encode: (text: string, options: { add_special_tokens: boolean }) => { ids: number[] } };
};

/** Texts of 2,000 whose ids are not the Rust package's, by tokenizer; `refused` where the port does not open the file. */
function differencesOfPort(name: string): number | 'refused' {
  const { whole } = read(`${name}.ids.json`) as Expected;
  let port: InstanceType<typeof Port>;
  try {
    port = new Port(read(`${name}.tokenizer.json`), {});
  } catch {
    return 'refused';
  }
  const differs = (text: string, i: number): boolean =>
    JSON.stringify(port.encode(text, { add_special_tokens: false }).ids) !== JSON.stringify(whole[i]);
  return texts.slice(0, 2000).filter(differs).length;
}

it("Hugging Face's port on npm gives other ids for most tokenizers: once it does not, it can replace ours", () => {
  const found = new Map(names.map((name) => [name, differencesOfPort(name)]));
  process.stdout.write(`${[...found].map(([name, count]) => `${name}: ${count}`).join('\n')}\n`);
  expect([...found.values()].filter((count) => count === 0).length).toBeLessThan(names.length);
});
