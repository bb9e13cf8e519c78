// Needs the feature labels.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseReport } from '../../src/report/read.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { SEARCH, sineRecipe, sineTable, wholeWay } from '../support/sines.ts';
import type { Sines } from '../support/sines.ts';

const folder = temporaryFolder();

/** Three labels, each by itself: common, half and half, rare. */
const SINES: Sines = {
  task: 'multi-label',
  label: ['warm', 'wet', 'windy'],
  of: (a, b, c) => [a > -0.6, b > c, a + b > 1.2].map(Number),
  ...{ test: 120, learningRate: 0.02 },
};
const table = (rows: number, first: number): string => sineTable(SINES, rows, first);
const recipe = (change: object = {}) => sineRecipe(folder(), SINES, change);

it('goes the whole way: twin and verdict, pruning, int8 with and without training, both formats, kit and evaluation', async () => {
  const made = makeRecipe(await recipe(wholeWay(30)), folder());
  expect(made.recipe.distill).toMatchObject({ loss: 'kd', softTargets: { store: 'fp16' } });
  const { report, folder: run } = await runRecipe(made, { out: folder() });
  expect(report.dataset).toMatchObject({ task: 'multi-label', classNames: ['warm', 'wet', 'windy'] });
  expect(report.models.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['teacher', 'scratch', 'distilled', 'pruned-1-int8', 'pruned-1-int8-qat-tflite']),
  );
  const lines = table(120, 300).trim().split('\n').slice(1);
  const counts = [3, 4, 5].map((at) => lines.filter((line) => line.split(',')[at] === '1').length);
  for (const { labels, file, score } of report.models) {
    const { rows, meanAveragePrecision } = labels!;
    // Whether a label is given depends on the sample, for each of them.
    expect([file, meanAveragePrecision! > 0.85, score.test! > 0.8]).toEqual([file, true, true]);
    expect(score.test).toBeCloseTo(
      rows.reduce((sum, { f1 }) => sum + f1! / 3, 0),
      5,
    );
    expect(rows.map(({ samples }) => samples)).toEqual(counts);
    for (const { threshold } of rows) expect(threshold).toBeGreaterThan(0);
  }
  for (const { top1Agreement, sqnrDb } of report.parity)
    expect([top1Agreement, (sqnrDb ?? Infinity) > 20]).toEqual([undefined, true]);
  expect(report.verdict!.sentence).toContain('points');
  expect(report.verdict!.gain).toBeCloseTo(scoreOf('distilled') - scoreOf('scratch'), 6);
  expect(report.models.find(({ id }) => id === 'distilled')!.distance).toBeGreaterThan(0);
  expect(parseReport(JSON.stringify(report))).toEqual(report);
  expect(reportHtml(report)).toContain('<h2>Labels</h2>');
  expect(reportMarkdown(report)).toContain('| model | label | samples with it | average precision |');

  const found = await evaluateFile(path.join(run, 'exports/distilled.onnx'), made, 'test');
  expect(found.score).toEqual({ name: 'macro F1', value: expect.closeTo(scoreOf('distilled'), 6) as number });
  expect(found.labels!.rows[2]!.threshold).toBeUndefined();

  const kit = await writeKit(run, path.join(folder(), 'kit'));
  expect(kit.skipped.map(({ why }) => why)).toContain('labels have no sample for React Native: classes have');
  const [example] = JSON.parse(await readFile(path.join(folder(), 'kit/example.json'), 'utf8')) as {
    targets: number[];
    logits: number[];
  }[];
  expect(example!.logits).toHaveLength(3);
  expect(example!.targets.every((label) => label === 0 || label === 1)).toBe(true);

  function scoreOf(id: string): number {
    return report.models.find((model) => model.id === id)!.score.test!;
  }
});

it('is taught by a file, with mixed samples, and refuses one of other labels', async () => {
  const teacher = makeRecipe(await recipe({ name: 't', teacher: undefined, baseline: false }), folder());
  const { folder: run } = await runRecipe(teacher, { out: folder() });
  const onnx = path.join(run, 'exports/scratch.onnx');
  const distill = { loss: 'mse', epochs: 25, batchSize: 32, optimizer: { learningRate: 0.02 } };
  const live = { ...distill, softTargets: { store: 'live' } };
  const taught = await recipe({ name: 's', teacher: { onnx }, distill: live });
  Object.assign(taught.dataset, { augment: [{ mixup: 0.2 }] });
  const { report } = await runRecipe(makeRecipe(taught, folder()), { out: folder() });
  expect(report.teacher!.source).toBe('scratch.onnx');
  expect(report.models.find(({ id }) => id === 'distilled')!.labels!.meanAveragePrecision).toBeGreaterThan(0.8);

  const wrong = await recipe({ name: 'o', teacher: { onnx } });
  await writeFile(
    path.join(folder(), 'train.csv'),
    table(300, 0).replaceAll(
      /,([01]),([01]),([01])\n/g,
      (_, ...bits) =>
        `,${bits
          .slice(0, 3)
          .map((bit) => 1 - Number(bit))
          .join(',')}\n`,
    ),
  );
  await expect(runRecipe(makeRecipe(wrong, folder()), { out: folder() })).rejects.toThrow(
    /scratch.onnx: at a macro F1 of .* on 60 validation samples, and it ranks a sample with a label before one without in/,
  );
});

it('is searched for within a budget, by its macro F1', async () => {
  const { report } = await runRecipe(makeRecipe(await recipe(SEARCH), folder()), { out: folder() });
  const { points, withinBudget, sentence } = report.search!;
  expect([withinBudget, new Set(points.map(({ width }) => width))]).toEqual([true, new Set([1, 0.5])]);
  expect(sentence).toMatch(/% on the validation split, -?\d+\.\d\d points below the teacher/);
});

it.each([
  [{ distill: { loss: 'dkd' } }, 'distill.loss: expected a loss for multi-label: kd or mse, received dkd'],
  [
    { distill: { labelSmoothing: 0.1 } },
    'distill.labelSmoothing: expected no such key for multi-label: it belongs to classification',
  ],
  [{ distill: { huber: 1 } }, 'distill.huber: expected no such key for multi-label: it belongs to regression'],
])('refuses %j', async (change, message) => {
  const wrong = await recipe(change);
  expect(() => makeRecipe(wrong, folder())).toThrow(message);
});
