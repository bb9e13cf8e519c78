import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { eventText, metricOfEvent } from '../../src/watch/events.ts';
import { RandomStream } from '../../src/base/random.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** Rows of which one in eight is sick, whom no model of two numbers tells apart surely: accuracy is that of the common class. */
async function writeRare(): Promise<void> {
  const random = new RandomStream('rare');
  const rows = Array.from({ length: 320 }, (_, i) => {
    const isSick = i % 8 === 0;
    return [random.normal() + (isSick ? 1 : 0), random.normal() - (isSick ? 1 : 0), isSick ? 'sick' : 'well'].join();
  });
  await writeFile(path.join(folder(), 'data.csv'), `a,b,state\n${rows.join('\n')}\n`);
}

const recipe = (score?: string): object => ({
  ...{ name: 'rare', student: { model: 'mlp', hidden: [4] }, ...QUICK },
  dataset: {
    type: 'csv',
    train: 'data.csv',
    label: 'state',
    testFraction: 0.3,
    validation: 80,
    ...(score && { score }),
  },
  distill: { epochs: 8, batchSize: 32, optimizer: { schedule: 'constant', learningRate: 0.05 } },
});

const bestOf = { 'roc-auc': Math.max, 'macro-f1': Math.max, 'log-loss': Math.min };
const figureOf = { 'roc-auc': 'auc', 'macro-f1': 'macroF1', 'log-loss': 'logLoss' } as const;

it.each(['roc-auc', 'macro-f1', 'log-loss'] as const)('a run is judged by %s', async (name) => {
  await writeRare();
  const events: RunEvent[] = [];
  const loaded = makeRecipe(recipe(name), folder());
  const { report, folder: run } = await runRecipe(loaded, { out: folder(), onEvent: (event) => events.push(event) });
  const named = report.score.name;
  expect(named.toLowerCase().replace(' ', '-')).toBe(name);
  const [model] = report.models;
  expect(model!.score.test).toBe(model!.classFigures![figureOf[name]]);
  const [{ epochs, bestEpoch }] = report.training as [NonNullable<typeof report.training>[number]];
  const validations = epochs.map(({ validation }) => validation);
  expect(validations[bestEpoch! - 1]).toBe(bestOf[name](...validations));
  expect(model!.score.validation).toBeCloseTo(validations[bestEpoch! - 1]!, 5);
  const epoch = events.find((event) => event.type === 'epoch')!;
  expect(eventText(epoch)).toContain(`validation ${named} `);
  expect(metricOfEvent(epoch)).toBe(name.replace('-', '_'));
  for (const text of [reportHtml(report), reportMarkdown(report)]) expect(text).toContain(named);
  const evaluated = await evaluateFile(path.join(run, model!.file!), loaded, 'test');
  expect(evaluated.score).toEqual({ name: named, value: model!.score.test });
  expect(evaluated.said).toContain(named);
  const counts = model!.confusion!.counts;
  expect(evaluated.accuracy).toBeCloseTo((counts[0]![0]! + counts[1]![1]!) / 96, 12);
});

it('only classes have such scores, and a trained teacher is held to no accuracy beside another one', () => {
  const numbers = {
    ...recipe(),
    dataset: { ...(recipe('roc-auc') as { dataset: object }).dataset, task: 'regression' },
  };
  expect(() => makeRecipe(numbers, folder())).toThrow('dataset.score: expected no such key for regression');
  const taught = { ...recipe('log-loss'), teacher: { train: { model: 'mlp' }, minAccuracy: 0.9 } };
  expect(() => makeRecipe(taught, folder())).toThrow(
    'teacher.minAccuracy: expected no such key beside teacher.train and dataset.score: log-loss',
  );
  makeRecipe({ ...recipe('accuracy'), teacher: { train: { model: 'mlp' }, minAccuracy: 0.9 } }, folder());
});
