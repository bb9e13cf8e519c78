import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseWav } from '../../../../src/data/sounds/wav.ts';
import { examplesSection } from '../../../../src/report/html/sections/examples.ts';
import { markup } from '../../../../src/report/html/markup.ts';
import type { Examples, Report } from '../../../../src/report/types.ts';
import { examplesOf } from '../../../../src/run/stages/measure/examples.ts';
import type { MeasuredModels } from '../../../../src/run/stages/measure/measure.ts';
import { loadData } from '../../../../src/setup/data.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { useCpu } from '../../../support/cpu.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { wavFile } from '../../../support/sound.ts';

beforeAll(useCpu);
const folder = temporaryFolder();

/** Teacher and student that differ on the first two samples of the test split, more surely on the second. */
async function compared(dataset: object): Promise<{ examples: Examples; html: string }> {
  const { recipe } = makeRecipe({ name: 'r', dataset, student: { model: 'mlp' } }, folder());
  const data = await loadData(recipe);
  const answers =
    (...logits: number[]) =>
    () =>
      Float32Array.from({ length: 2 * data.test!.count }, (_, i) => logits[i] ?? 0);
  const row = (role: string) => ({ model: { role, repeat: 0 }, precision: 'fp32', format: 'onnx', id: role });
  const measured = [
    { row: row('teacher'), answers: answers(1, 0, 9, 0) },
    { row: row('distilled'), answers: answers(0, 1, 0, 9) },
  ] as unknown as MeasuredModels[];
  const examples = (await examplesOf({ recipe, data }, measured))!;
  return {
    examples,
    html: markup`${examplesSection({ examples, dataset: data, models: [], score: { unit: 'fraction' } } as unknown as Report)}`
      .source,
  };
}

it('shows sounds with their spectrum, to be played, the most confident disagreement first', async () => {
  const root = path.join(folder(), 'sounds');
  const sound = (k: number): number[] => Array.from({ length: 400 }, (_, i) => Math.sin((k + 1) * i) / 2);
  ['no', 'yes'].forEach((name, at) => {
    mkdirSync(path.join(root, name), { recursive: true });
    for (let i = 0; i < 4; i++)
      writeFileSync(path.join(root, name, `${i}.wav`), wavFile(sound(4 * at + i), { rate: 4000 }));
  });
  const dataset = { type: 'audio-folder', train: root, test: root, rate: 4000, seconds: 0.1 };
  const { examples, html } = await compared(dataset);
  expect(examples.rows.map(({ sample }) => sample)).toEqual(['test/1', 'test/0']);
  const [first] = examples.rows;
  expect(first).toMatchObject({ label: 'no', teacher: 'no (100.0 %)', student: 'yes (100.0 %)' });
  const { rate, values } = parseWav(Buffer.from(first!.sound!.wav, 'base64'), 'first');
  expect([rate, values.length, first!.sound!.seconds]).toEqual([4000, 400, 0.1]);
  sound(1).forEach((value, i) => expect(values[i]).toBeCloseTo(value, 3));
  expect(Buffer.from(first!.picture!, 'base64').subarray(1, 4).toString()).toBe('PNG');
  expect(html.match(/<audio /g)).toHaveLength(2);
});

it('shows long sounds by their middle', async () => {
  const root = path.join(folder(), 'long');
  for (const name of ['no', 'yes']) {
    mkdirSync(path.join(root, name), { recursive: true });
    for (let i = 0; i < 2; i++) writeFileSync(path.join(root, name, `${i}.wav`), wavFile(Array(50_000).fill(0.1)));
  }
  const { examples } = await compared({ type: 'audio-folder', train: root, test: root, seconds: 3 });
  expect(examples.rows[0]!.sound!.seconds).toBe(3);
  expect(examples.rows[0]!.sound!.wav.length).toBeLessThan(90_000);
});

it('shows texts, or their beginning, as they are in the file', async () => {
  const long = 'word '.repeat(200);
  const lines = ['text,label', 'is <this> good?,yes', `${long},no`, 'one,yes', 'two,no', 'three,yes'];
  writeFileSync(path.join(folder(), 'd.csv'), `${lines.join('\n')}\n`);
  const text = { column: 'text', tokenizer: 'hashed', length: 8 };
  const { examples, html } = await compared({ type: 'csv', train: 'd.csv', test: 'd.csv', validation: 1, text });
  expect(examples.rows.map(({ texts }) => texts)).toEqual([[`${long.slice(0, 400)}…`], ['is <this> good?']]);
  expect(html).toContain('<blockquote>is &lt;this&gt; good?</blockquote>');
});
