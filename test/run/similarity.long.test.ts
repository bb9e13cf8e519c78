import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../src/base/errors.ts';
import { RandomStream } from '../../src/base/random.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { scorePairs } from '../../src/answers/vector/tools/pairs.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { textTeacher } from '../support/text-teacher.ts';
import { wordPieces } from '../support/tokenizer.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const WORDS = ['red', 'green', 'blue', 'old', 'new', 'tall', 'wide', 'slow'];
/** Id of the first word, behind special tokens and letters. */
const FIRST = 56;

const scoreOf = (id: number): [number, number] => [Math.sin(7 * id), Math.cos(4 * id)];
/** The vector that the teacher gives to a text, apart from its types. */
const vectorOf = (text: string): [number, number] =>
  [2, ...text.split(' ').map((word) => FIRST + WORDS.indexOf(word)), 3].reduce<[number, number]>(
    ([x, y], id) => [x + scoreOf(id)[0], y + scoreOf(id)[1]],
    [0, 0],
  );

/** Writes pairs, of which every `each`th has a similarity: the cosine by the teacher, on a scale of 0 to 5. */
async function writePairs(name: string, count: number, each = 1): Promise<void> {
  const random = new RandomStream('pairs', name);
  const drawn = (): string =>
    Array.from({ length: 1 + random.below(3) }, () => WORDS[random.below(WORDS.length)]!).join(' ');
  const rows = Array.from({ length: count }, (_, i) => {
    const [a, b] = [drawn(), drawn()];
    const [[ax, ay], [bx, by]] = [vectorOf(a), vectorOf(b)];
    const cosine = (ax * bx + ay * by) / Math.hypot(ax, ay) / Math.hypot(bx, by);
    return `${a},${b},${i % each === 0 ? (2.5 + 2.5 * cosine).toFixed(2) : ''}`;
  });
  await writeFile(at(name), `a,b,score\n${rows.join('\n')}\n`);
}

beforeEach(async () => {
  await writeFile(at('tokenizer.json'), JSON.stringify(wordPieces(WORDS)));
  await writeFile(at('t.onnx'), textTeacher(64, scoreOf));
  await writePairs('train.csv', 200, 2);
  await writePairs('dev.csv', 60);
  await writePairs('test.csv', 60);
  await writeFile(at('texts.csv'), 'a,b,score\nred old,,\ntall,,\nnew green slow,,\n');
});

const made = (change: object = {}) =>
  makeRecipe(
    {
      name: 'pairs',
      dataset: {
        ...{ type: 'csv', task: 'sentence-similarity', train: 'train.csv', unlabelled: 'texts.csv', label: 'score' },
        ...{ validation: 'dev.csv', test: 'test.csv', dimensions: 2 },
        text: { column: ['a', 'b'], tokenizer: 'tokenizer.json', length: 8 },
      },
      teacher: { onnx: 't.onnx' },
      student: { model: 'embedding-bag', size: 8 },
      distill: { alpha: 0.99, epochs: 40, batchSize: 32, optimizer: { learningRate: 0.03 } },
      ...QUICK,
      ...change,
    },
    folder(),
  );

it('goes from pairs to a verdict in the correlation, and on from a stop to the same bytes', async () => {
  const recipe = made({ quantize: [{ scheme: 'dynamic-int8', maxDrop: 100 }], export: ['onnx'] });
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  expect(report.score).toMatchObject({ name: 'Spearman', better: 'higher' });
  expect(report.verdict!.gain).toBeDefined();
  const scores = Object.fromEntries(report.models.map(({ id, score }) => [id, score.test!]));
  expect(scores['teacher']).toBeGreaterThan(0.98);
  expect(scores['distilled']).toBeGreaterThan(0.8);
  for (const id of ['teacher', 'scratch', 'distilled', 'distilled-dynamic-int8']) {
    const { rows, queries, samples } = report.models.find((model) => model.id === id)!.vectors!;
    expect([id, queries, samples, rows[0]!.spearman]).toEqual([id, 60, 120, expect.closeTo(scores[id]!, 9)]);
  }
  expect(reportMarkdown(report)).toMatch(/\| model +\| numbers \| format +\| Spearman \|/);
  expect(reportHtml(report)).toContain('of the cosines of 60 pairs with their similarities');

  const file = path.join(run, 'exports/distilled.onnx');
  expect(decodeModel(await readFile(file), file).metadata.get('task')).toBe('sentence-similarity');
  const { score } = await evaluateFile(file, recipe, 'test');
  expect(score).toEqual({ name: 'Spearman', value: scores['distilled'] });
  const { spearman, pairs } = await scorePairs(file, recipe, at('test.csv'), ['a', 'b', 'score']);
  expect([pairs, spearman]).toEqual([60, expect.closeTo(scores['distilled']!, 9)]);

  const whole = await readFile(file, 'base64');
  const stop = new AbortController();
  const onEvent = (event: { readonly type: string; readonly stage?: string; readonly epoch?: number }): void => {
    if (event.type === 'epoch' && event.stage === 'distill' && event.epoch === 2) stop.abort();
  };
  const begun = runRecipe(recipe, { out: folder(), existing: 'fresh', signal: stop.signal, onEvent });
  await expect(begun).rejects.toThrow(InterruptedError);
  await runRecipe(recipe, { out: folder() });
  expect(await readFile(file, 'base64')).toBe(whole);
});

it('learns from the teacher alone if no similarity is read, and is scored by its cosines', async () => {
  const dataset = { ...made().recipe.dataset, labelled: 0, unlabelled: undefined };
  const { report } = await runRecipe(made({ name: 'alone', dataset, distill: { alpha: 1, epochs: 40, batchSize: 32, optimizer: { learningRate: 0.03 } } }), { out: folder() }); // prettier-ignore
  expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled']);
  expect(report.models[0]!.score.test).toBeCloseTo(1, 9);
  expect(report.models[1]!.score.test).toBeGreaterThan(0.8);
});
