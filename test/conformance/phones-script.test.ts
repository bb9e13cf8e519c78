import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isWord } from '../../src/data/text/tokenizer/encode.ts';
import { tokenizerScript } from '../../src/ship/kit/portable.ts';
import { inJavaScriptCore, inV8 } from '../support/engines.ts';
import type { Call } from '../support/engines.ts';
import { answersOf, callsFor, cuttings, everyForm } from '../support/tokenizer-forms.ts';
import { SENTENCES, textsOfMany } from '../support/texts.ts';
import { runPython } from './python.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'phones-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Texts of white space alone are refused. */
const texts = textsOfMany(2000).map((text) => (isWord(text) ? text : 'nothing'));
let script = '';
let names: readonly string[] = [];
beforeAll(async () => {
  script = await tokenizerScript();
  writeFileSync(path.join(folder, 'texts.json'), JSON.stringify(texts));
  writeFileSync(path.join(folder, 'learned.json'), JSON.stringify(textsOfMany(2000, false)));
  names = runPython('tokenizers_check.py', folder) as string[];
});

it('every kind of tokenizer gives the ids of the library in JavaScriptCore', () => {
  const some = [...texts.slice(0, 300), '\ufeffa\ud800b', ''];
  for (const one of everyForm()) {
    const found = JSON.stringify(inJavaScriptCore(script, callsFor(one, some)));
    expect([one.name, found]).toEqual([one.name, JSON.stringify(answersOf(one, some))]);
  }
});

it('texts are cut into the same words in JavaScriptCore', () => {
  const { calls, words } = cuttings([...SENTENCES, 'a:b c.d 1:2 1.2 e：f g．h U.S.']);
  expect(inJavaScriptCore(script, calls)).toEqual(words);
});

it.each([
  ['JavaScriptCore', inJavaScriptCore],
  ['V8', inV8],
] as const)('the ids of 2,000 texts of many scripts are those of the Rust package in a bare %s', (_, engine) => {
  expect(names.length).toBe(17);
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  const found = names.map((name) => {
    const { whole, cut } = JSON.parse(read(`${name}.ids.json`)) as { whole: number[][]; cut: [number[], number[]][] };
    const json = JSON.parse(read(`${name}.tokenizer.json`)) as object;
    const longest = Math.max(...whole.map((ids) => ids.length));
    const idsOf = (file: object, length: number, count: number): number[][] => {
      const form = { tokenizer: 'tokenizer.json', texts: 1, length, truncate: 'end', vocabulary: 1e6, padding: -1 };
      const open: Call = ['open', JSON.stringify(form), JSON.stringify(file)];
      const samples = texts.slice(0, count).map((text): Call => ['encode', JSON.stringify([text])]);
      const [opened, ...answers] = engine(script, [open, ...samples]) as { ids: number[] }[];
      expect([name, opened]).toEqual([name, {}]);
      return answers.map(({ ids }) => ids.filter((id) => id !== form.padding));
    };
    const others = (ours: readonly number[][], theirs: readonly number[][]): number =>
      ours.filter((ids, i) => String(ids) !== String(theirs[i])).length;
    return {
      name,
      whole: others(idsOf({ ...json, post_processor: null }, longest, texts.length), whole),
      cut: others(
        idsOf(json, 24, cut.length),
        cut.map(([ids]) => ids),
      ),
    };
  });
  expect(found).toEqual(names.map((name) => ({ name, whole: 0, cut: 0 })));
});
