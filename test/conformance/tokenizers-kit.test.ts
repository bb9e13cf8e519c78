import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isWord } from '../../src/data/text/tokenizer/encode.ts';
import { SCRIPT_FILE, tokenizerModules, tokenizerScript } from '../../src/ship/kit/portable.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT } from '../support/built.ts';
import { buildProgram, succeed } from '../support/kit-build.ts';
import { TEXTS, textsOfMany } from '../support/texts.ts';
import { runPython } from './python.ts';

/** Ids and token types of a text or of a pair, without padding; types only where they are asked for. */
type Row = readonly [ids: readonly number[], types: readonly number[]];

/** As the Rust package gives them. */
interface Expected {
  readonly whole: readonly (readonly number[])[];
  readonly cut: readonly Row[];
  readonly pair: readonly Row[];
}

/** An entry `text` of preprocessing.json with a tokenizer, the samples that it is asked about, and what it must answer. */
interface Case {
  readonly name: string;
  readonly form: object;
  readonly json: object;
  readonly samples: readonly (string | readonly string[])[];
  readonly expected: readonly Row[];
}

const folder = mkdtempSync(path.join(tmpdir(), 'tokenizers-kit-'));
const at = (...names: readonly string[]): string => path.join(folder, ...names);
const kit = (name: string): string => at('kit', name);
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const write = (file: string, content: unknown): void => writeFileSync(file, JSON.stringify(content));

/** Texts of white space alone are refused. */
const texts = textsOfMany(TEXTS).map((text) => (isWord(text) ? text : 'nothing'));
const program = buildProgram();
const cases: Case[] = [];

/** A kit as the built program writes it, of a small run with the first of the tokenizers. */
beforeAll(() => {
  write(at('texts.json'), texts);
  write(at('learned.json'), textsOfMany(2000, false));
  const names = runPython('tokenizers_check.py', folder) as string[];
  expect(names.length).toBe(17);
  const rows = textsOfMany(200, false).map((text, i) => JSON.stringify({ text, label: i % 2 === 0 ? 'even' : 'odd' }));
  writeFileSync(at('rows.jsonl'), rows.join('\n'));
  write(at('r.yaml'), {
    dataset: {
      ...{ type: 'jsonl', train: 'rows.jsonl', testFraction: 0.2 },
      text: { column: 'text', tokenizer: `${names[0]!}.tokenizer.json`, length: 16 },
    },
    student: { model: 'embedding-bag', size: 4 },
    distill: { epochs: 1 },
    export: ['onnx', 'tflite'],
    report: { latency: { seconds: 0 } },
  });
  succeed(folder, program.cli, 'run', 'r.yaml');
  succeed(folder, program.cli, 'export', 'r', '--kit', 'kit');
  symlinkSync(path.join(ROOT, 'node_modules'), kit('samples/node/node_modules'));
  for (const name of names) cases.push(...casesOf(name).map(thinned));
}, 600_000);

afterAll(() => {
  for (const made of [folder, program.folder]) rmSync(made, { recursive: true, force: true });
});

function casesOf(name: string): Case[] {
  const { whole, cut, pair } = read(at(`${name}.ids.json`)) as Expected;
  const json = read(at(`${name}.tokenizer.json`)) as object;
  const shared = { tokenizer: 'tokenizer.json', vocabulary: 1e6, padding: -1, file: 'models/tokenizer.json' };
  const form = { ...shared, texts: 1, length: 24, truncate: 'end', parts: ['ids', 'types'] };
  const some = texts.slice(0, cut.length);
  return [
    {
      ...{ name, samples: texts, json: { ...json, post_processor: null } },
      form: { ...form, length: Math.max(...whole.map((ids) => ids.length)), parts: ['ids'] },
      expected: whole.map((ids) => [ids, []]),
    },
    { name: `${name}, cut`, form, json, samples: some, expected: cut },
    {
      ...{ name: `${name}, pairs`, form: { ...form, texts: 2 }, json, expected: pair },
      samples: some.map((text, i) => [text, texts[some.length + i]!]),
    },
  ];
}

/** Answers of the function `prepare` that a sample of the kit exports, without padding: the same in Node and in a browser. */
const ROWS = `(prepare, { length }, samples) => samples.map((sample) => {
  const all = Array.from(prepare(sample));
  const size = all.slice(0, length).filter((id) => id !== -1).length;
  return [all.slice(0, size), all.slice(length, length + size)];
})`;

/** Puts what a case says into the kit, where its samples read it. */
function place({ form, json, samples }: Case): void {
  const preprocessing = read(kit('preprocessing.json')) as object;
  write(kit('preprocessing.json'), { ...preprocessing, text: form });
  write(kit('models/tokenizer.json'), json);
  write(kit('samples.json'), samples);
}

/** Some of the samples of a case that has all texts. */
function thinned(one: Case): Case {
  if (one.samples.length < texts.length) return one;
  const kept = <T>(all: readonly T[]): T[] => all.filter((_, i) => i % EVERY === 0);
  return { ...one, samples: kept(one.samples), expected: kept(one.expected) };
}

/** Of how many texts a kit is asked about one: `tokenizers.test.ts` asks the same modules about all. */
const EVERY = 5;

/** `answers`: those of a kit that holds the files of a case, for each case. */
function expectIds(answers: readonly (readonly Row[])[]): void {
  const found = cases.map(({ name, expected, samples }, k) => {
    const rows = answers[k]!;
    const isSame = (row: Row, i: number): boolean => JSON.stringify(row) === JSON.stringify(rows[i]);
    const first = expected.findIndex((row, i) => !isSame(row, i));
    return {
      ...{ name, count: rows.length, same: expected.filter(isSame).length },
      ...(first !== -1 && { sample: samples[first], theirs: expected[first], ours: rows[first] }),
    };
  });
  expect(found).toEqual(cases.map(({ name, samples }) => ({ name, count: samples.length, same: samples.length })));
  expect(found.filter(({ count }) => count === texts.length / EVERY)).toHaveLength(17);
}

it('the files of a kit are, byte for byte, those that the tests of the phones run', async () => {
  const files = { ...(await tokenizerModules()), [SCRIPT_FILE]: await tokenizerScript() };
  const held = Object.keys(files).map((name) => [name, readFileSync(kit(`samples/tokenize/${name}`), 'utf8')]);
  expect(Object.fromEntries(held)).toEqual(files);
});

it("the ids of a fifth of the texts of many scripts from a kit's sample for Node are those of the Rust package", () => {
  // The sample asks its model about the samples of a file: here it is given none. Each import of another address reads the files of the kit again.
  const main = `import { readFileSync, writeFileSync } from 'node:fs';
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const place = (file, content) => writeFileSync('../../' + file, JSON.stringify(content));
const preprocessing = read('../../preprocessing.json');
const answers = [];
for (const { form, json, samples } of read('cases.json')) {
  place('preprocessing.json', { ...preprocessing, text: form });
  place('models/tokenizer.json', json);
  const { prepare } = await import('./classify.mjs?' + answers.length);
  answers.push((${ROWS})(prepare, form, samples));
}
writeFileSync('answers.json', JSON.stringify(answers));
`;
  writeFileSync(kit('samples/node/rows.mjs'), main);
  write(kit('samples/node/none.json'), []);
  write(kit('samples/node/cases.json'), cases);
  succeed(kit('samples/node'), 'rows.mjs', 'none.json');
  expectIds(read(kit('samples/node/answers.json')) as Row[][]);
}, 1_200_000);

(BROWSER === undefined ? it.skip : it)(
  `the ids of these texts from a kit's pages in Chromium, by the same modules, are those of the Rust package${NO_BROWSER}`,
  async () => {
    const server: ChildProcess = spawn(process.execPath, ['serve.mjs', '0'], { cwd: kit('samples/browser') });
    const browser = await launch();
    try {
      const address = await new Promise<string>((resolve) =>
        server.stdout!.once('data', (data: Buffer) => resolve(String(data).trim())),
      );
      const answers: Row[][] = [];
      for (const one of cases) {
        place(one);
        const context = await browser.newContext();
        const tab = await context.newPage();
        await tab.goto(address);
        const rows = await tab.evaluate<string>(`(async () => {
  const { prepare } = await import('./kit.js');
  const json = async (name) => (await fetch('../../' + name)).json();
  const { text } = await json('preprocessing.json');
  return JSON.stringify((${ROWS})(prepare, text, await json('samples.json')));
})()`);
        await context.close();
        answers.push(JSON.parse(rows) as Row[]);
      }
      expectIds(answers);
    } finally {
      await browser.close();
      server.kill();
    }
  },
  1_200_000,
);
