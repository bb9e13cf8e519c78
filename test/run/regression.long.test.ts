// Needs the feature numbers.
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

/** Two numbers of very different size: what standardizing and the units of answers are for. */
const SINES: Sines = {
  task: 'regression',
  label: ['pressure', 'share'],
  of: (a, b, c) => [1000 + 40 * a + 20 * b * c, 0.01 * (b - c)],
  ...{ test: 80, learningRate: 0.01 },
};
const table = (rows: number, first: number): string => sineTable(SINES, rows, first);
const recipe = (change: object = {}) => sineRecipe(folder(), SINES, change);

it('goes the whole way: twin and verdict, pruning, int8 with and without training, both formats, kit and evaluation', async () => {
  const made = makeRecipe(await recipe(wholeWay(100)), folder());
  expect(made.recipe.distill).toMatchObject({ loss: 'mse', softTargets: { store: 'fp32' } });
  const { report, folder: run } = await runRecipe(made, { out: folder() });
  expect(report.dataset).toMatchObject({ task: 'regression', classNames: ['pressure', 'share'] });
  const ids = report.models.map(({ id }) => id);
  expect(ids).toEqual(
    expect.arrayContaining(['teacher', 'scratch', 'distilled', 'pruned-1-int8', 'pruned-1-int8-qat-tflite']),
  );
  for (const { errors, file, score } of report.models) {
    const [pressure, share] = errors!.rows;
    // In the units of the labels, each far better than its mean.
    expect([file, pressure!.r2! > 0.8, share!.r2! > 0.8]).toEqual([file, true, true]);
    expect(score.test).toBeCloseTo((pressure!.rmse + share!.rmse) / 2, 4);
  }
  for (const { top1Agreement, sqnrDb } of report.parity)
    expect([top1Agreement, (sqnrDb ?? Infinity) > 20]).toEqual([undefined, true]);
  expect(report.verdict!.sentence).toContain('RMSE');
  expect(report.verdict!.gain).toBeCloseTo(scoreOf('scratch') - scoreOf('distilled'), 6);
  expect(parseReport(JSON.stringify(report))).toEqual(report);
  expect(reportHtml(report)).toContain('<h2>Errors</h2>');
  expect(reportMarkdown(report)).toContain('| predicts | MAE | RMSE | R² |');

  // The file answers in the units of the labels to whoever asks it.
  const file = path.join(run, 'exports/distilled.onnx');
  const found = await evaluateFile(file, made, 'test');
  expect(found.score).toEqual({ name: 'RMSE', value: expect.closeTo(scoreOf('distilled'), 3) as number });
  expect(found.accuracy).toBeUndefined();

  const kit = await writeKit(run, path.join(folder(), 'kit'));
  expect(kit.skipped.map(({ why }) => why)).toContain('numbers have no sample for React Native: classes have');
  const [example] = JSON.parse(await readFile(path.join(folder(), 'kit/example.json'), 'utf8')) as {
    targets: number[];
    values: number[];
  }[];
  expect(Math.abs(example!.values[0]! - example!.targets[0]!)).toBeLessThan(100);

  function scoreOf(id: string): number {
    return report.models.find((model) => model.id === id)!.score.test!;
  }
});

it('is taught by a file that answers in the units of the labels, bounded, and refuses one that does not', async () => {
  const teacher = makeRecipe(await recipe({ name: 't', teacher: undefined, baseline: false }), folder());
  const { folder: run } = await runRecipe(teacher, { out: folder() });
  const onnx = path.join(run, 'exports/scratch.onnx');
  const taught = await recipe({ name: 's', teacher: { onnx }, distill: { loss: 'bounded', epochs: 8, huber: 1 } });
  const { report } = await runRecipe(makeRecipe(taught, folder()), { out: folder() });
  expect(report.teacher!.source).toBe('scratch.onnx');
  expect(report.models.find(({ id }) => id === 'distilled')!.distance).toBeGreaterThan(0);

  // Names in another order are found, and what other numbers are called by them is no better than the mean.
  const other = await recipe({ name: 'o', teacher: { onnx } });
  const turned = { ...other, dataset: { ...other.dataset, label: ['share', 'pressure'] } };
  const { report: found } = await runRecipe(makeRecipe(turned, folder()), { out: folder() });
  const scoreOf = ({ models }: typeof found): number => models.find(({ id }) => id === 'teacher')!.score.validation!;
  expect(scoreOf(found)).toBeCloseTo(scoreOf(report), 4);
  const renamed = table(300, 0).replace('pressure,share', 'share,pressure');
  await writeFile(path.join(folder(), 'train.csv'), renamed);
  await expect(runRecipe(makeRecipe({ ...other, name: 'w' }, folder()), { out: folder() })).rejects.toThrow(
    /scratch.onnx: off by .* \(RMSE\) on 60 validation samples, and the mean of the labels alone gives/,
  );
});

it('is searched for within a budget: the lower the error the better', async () => {
  const made = makeRecipe(await recipe(SEARCH), folder());
  const { report } = await runRecipe(made, { out: folder() });
  const { points, pick, sentence } = report.search!;
  const within = points.filter((point) => point.withinBudget);
  expect(points.find(({ id }) => id === pick)!.validation).toBe(
    Math.min(...within.map(({ validation }) => validation)),
  );
  expect(sentence).toMatch(/RMSE \S+ on the validation split, -?\d+\.\d\d % above the teacher/);
  expect(reportMarkdown(report)).toContain('| Pareto set | validation RMSE |');
  expect(reportHtml(report)).toContain('at most 100.00 % above the teacher');
});

it.each([
  [{ distill: { loss: 'kd' } }, 'distill.loss: expected a loss for regression: mse or bounded, received kd'],
  [
    { distill: { labelSmoothing: 0.1 } },
    'distill.labelSmoothing: expected no such key for regression: it belongs to classification',
  ],
])('refuses %j', async (change, message) => {
  const wrong = await recipe(change);
  expect(() => makeRecipe(wrong, folder())).toThrow(message);
});

it('refuses what is of regression for classes', async () => {
  const { dataset, ...rest } = await recipe({ distill: { huber: 1 }, teacher: undefined });
  const classes = { ...dataset, task: undefined, label: 'share' };
  expect(() => makeRecipe({ ...rest, dataset: classes }, folder())).toThrow(
    'distill.huber: expected no such key for classification: it belongs to regression',
  );
});
