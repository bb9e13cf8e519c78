import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';
import { sineTable } from '../support/sines.ts';
import type { Sines } from '../support/sines.ts';
import { asConll, asJsonl, taggedSentences } from '../support/tags.ts';
import { wavFile } from '../support/sound.ts';

const folder = temporaryFolder();
const SMALL = ['distill.epochs=1', 'teacher.train.epochs=8', 'report.latency.seconds=0', 'dataset.testFraction=0.3'];

it.each<[string, readonly string[], Sines['of'], object]>([
  [
    'numbers',
    ['price'],
    (a, b, c) => [900 + 40 * a + 20 * b - c],
    { why: 'price holds 300 different numbers', loss: 'mse' },
  ],
  [
    'labels',
    ['warm', 'wet'],
    (a, b, c) => [a > -0.6, b > c].map(Number),
    { why: 'warm, wet hold 0 and 1', loss: 'kd' },
  ],
])(
  'a recipe that limbeck init wrote for %s runs',
  async (_name, label, of, { why, loss }: { why?: string; loss?: string }) => {
    const sines = { task: 'regression', label, of, test: 0, learningRate: 0 } as const;
    await writeFile(path.join(folder(), 'data.csv'), sineTable(sines, 300, 0));
    const args = ['--type', 'csv', '--train', 'data.csv', '--label', label.join(',')];
    const made = await inProcess(folder(), 'init', ...args);
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining(why!)]);
    expect(await readFile(path.join(folder(), 'recipe.yaml'), 'utf8')).toContain(`loss: ${loss}`);
    const ran = await inProcess(folder(), 'run', 'recipe.yaml', ...SMALL.flatMap((change) => ['--set', change]));
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('distilled')]);
  },
);

/** Files of two classes, as many as the splits need. */
async function classes(
  root: string,
  ending: string,
  content: (k: number, i: number) => string | Uint8Array,
): Promise<void> {
  for (const [k, name] of ['high', 'low'].entries()) {
    await mkdir(path.join(folder(), root, name), { recursive: true });
    for (let i = 0; i < 20; i++) await writeFile(path.join(folder(), root, name, `${i}${ending}`), content(k, i));
  }
}

const words = (k: number, i: number): string =>
  `${k === 0 ? 'a bright' : 'a dark'} day in ${['May', 'June', 'July'][i % 3]!} of ${i}`;
const tone = (k: number, i: number): Uint8Array =>
  wavFile(
    Array.from({ length: 780 }, (_, t) => 0.5 * Math.sin((k + 1) * 0.3 * t + i)),
    { rate: 4000 },
  );

it.each<[string, () => Promise<void>, string, string, readonly string[], readonly string[]]>([
  [
    'a folder of sounds, its splits inside',
    async () => {
      await classes('speech/train', '.wav', tone);
      await classes('speech/test', '.wav', tone);
    },
    'speech',
    'speech/train holds 40 files .wav: type: audio-folder',
    ['train: speech/train', 'test: speech/test', 'rate: 4000', 'seconds: 0.2', 'model: ds-cnn'],
    ['teacher.train.depth=8'],
  ],
  [
    'a folder of texts',
    () => classes('mails', '.txt', words),
    'mails',
    'mails holds 40 files .txt: type: text-folder',
    ['type: text-folder', 'tokenizer: hashed', 'model: embedding-bag'],
    ['teacher.train.size=8', 'dataset.testFraction=0.3'],
  ],
  [
    'a table with a column of texts',
    () => writeFile(path.join(folder(), 'data.csv'), `text,stars,label\n${Array.from({ length: 40 }, (_, i) => `${words(i % 2, i)},${i},${i % 2}`).join('\n')}\n`), // prettier-ignore
    'data.csv',
    'data.csv ends in .csv: type: csv; say --type for another one\nrecipe.yaml: written',
    ['text: { column: text, tokenizer: hashed }', 'model: embedding-bag'],
    ['teacher.train.size=8', 'dataset.testFraction=0.3'],
  ],
  [
    'JSON lines with texts',
    () => writeFile(path.join(folder(), 'data.jsonl'), Array.from({ length: 40 }, (_, i) => JSON.stringify({ body: words(i % 2, i), label: i % 2 ? 'dark' : 'bright' })).join('\n')), // prettier-ignore
    'data.jsonl',
    'data.jsonl ends in .jsonl: type: jsonl',
    ['text: { column: body, tokenizer: hashed }'],
    ['teacher.train.size=8', 'dataset.testFraction=0.3'],
  ],
  [
    'JSON lines with words and tags',
    () => writeFile(path.join(folder(), 'data.jsonl'), asJsonl(taggedSentences(200, 'init'))),
    'data.jsonl',
    'tokens lists words, and tags as many tags: task: tagging',
    ['task: tagging', 'label: tags', 'text: { column: tokens, tokenizer: bytes', 'model: text-cnn'],
    [
      'teacher.train={model: text-cnn, epochs: 8, batchSize: 8, optimizer: {learningRate: 0.02}}',
      'dataset.text.length=48',
      'dataset.testFraction=0.3',
    ],
  ],
  [
    'a file of a word on each line',
    () => writeFile(path.join(folder(), 'data.conll'), asConll(taggedSentences(200, 'init'))),
    'data.conll',
    'data.conll ends in .conll: type: conll',
    ['task: tagging', 'text: { column: 0, tokenizer: bytes'],
    [
      'teacher.train={model: text-cnn, epochs: 8, batchSize: 8, optimizer: {learningRate: 0.02}}',
      'dataset.text.length=48',
      'dataset.testFraction=0.3',
    ],
  ],
])('limbeck init sees %s, and its recipe runs', async (_name, make, train, why, lines, small) => {
  await make();
  const made = await inProcess(folder(), 'init', '--train', train);
  expect([made.code, made.stdout + made.stderr]).toEqual([0, expect.stringContaining(why)]);
  const recipe = await readFile(path.join(folder(), 'recipe.yaml'), 'utf8');
  for (const line of lines) expect(recipe).toContain(line);
  const changes = [...SMALL.slice(0, 3), 'teacher.train.epochs=12', 'dataset.validation=8', ...small];
  const ran = await inProcess(folder(), 'run', 'recipe.yaml', ...changes.flatMap((change) => ['--set', change]));
  expect([ran.code, ran.stdout + ran.stderr]).toEqual([0, expect.stringContaining('distilled')]);
});
