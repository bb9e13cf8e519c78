import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../src/base/errors.ts';
import type { RunEvent } from '../../src/base/events.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { parseReport } from '../../src/report/read.ts';
import { runRecipe } from '../../src/run/run.ts';
import { CLASSES, fewLabels, NUMBERS, TRAINING } from '../support/few-labels.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const recipe = (dataset: object, change?: object) => fewLabels(folder(), dataset, change);

const exported = (out: string, file: string) => readFile(path.join(folder(), out, 'few/exports', file), 'base64');

it('rows without a label: what student and twin learnt from is said; stopped inside the twin it ends with the same bits', async () => {
  const quantize = [{ method: 'qat', samples: 64, qat: { epochs: 1 }, maxDrop: 50 }];
  const prune = [{ amount: 0.3, importance: 'taylor', finetune: { epochs: 1 }, maxDrop: 50 }];
  const more = { prune, quantize, distill: { minConfidence: 0.6, epochs: 4, ...TRAINING } };
  const augment = [{ mixup: 0.2 }];
  const dataset = { ...CLASSES, train: 'some.csv', augment };
  const live = { ...more, distill: { ...more.distill, softTargets: { store: 'live' } } };
  const made = await recipe(dataset, live);
  const { report } = await runRecipe(made, { out: path.join(folder(), 'whole') });
  expect(parseReport(JSON.stringify(report))).toEqual(report);
  expect(report.dataset).toMatchObject({ samples: { train: 340, validation: 60, test: 100 }, labelled: 55 });
  const said =
    'the student learnt from 340 samples, 55 of them with a label, answers of the teacher below a probability of 0.6 left out; its twin from those 55, for as many steps';
  expect(report.verdict!.sentence).toContain(said);
  expect(report.notes).toContain(said);
  expect(reportMarkdown(report)).toContain('340 train (55 with a label)');
  expect(reportHtml(report)).toContain('340 to train, 55 of them with a label');
  const { examples } = report;
  expect(examples).toMatchObject({ model: 'pruned-1', split: 'test', samples: 100 });
  for (const { teacher, student, values } of examples!.rows) {
    expect(teacher.split(' ')[0]).not.toBe(student.split(' ')[0]);
    expect(values!.map(({ name }) => name)).toEqual(['a', 'b']);
  }
  expect(reportHtml(report)).toContain('<h2>Where they disagree</h2>');
  const [scratch, distill] = ['scratch', 'distill'].map((stage) =>
    report.training!.find((one) => one.stage === stage)!,
  );
  expect(scratch!.epochs.map(({ epoch }) => epoch)).toEqual(distill!.epochs.map(({ epoch }) => epoch));
  for (const { epochs } of [scratch!, distill!])
    for (const { score } of epochs) expect(score! > 0 && score! <= 1).toBe(true);

  const stop = new AbortController();
  let steps = 0;
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'epoch' && event.stage === 'scratch' && ++steps === 2) stop.abort();
  };
  const out = path.join(folder(), 'stopped');
  await expect(runRecipe(made, { out, onEvent, signal: stop.signal, saveEvery: 0 })).rejects.toThrow(InterruptedError);
  await runRecipe(made, { out });
  for (const file of ['scratch.onnx', 'distilled.onnx', 'pruned-1-int8-qat.onnx'])
    expect([file, await exported('stopped', file)]).toEqual([file, await exported('whole', file)]);
});

it('numbers without labels are standardized by what the teacher answers', async () => {
  const { folder: run } = await runRecipe(await recipe(NUMBERS, { student: undefined, name: 'number-teacher' }), { out: folder() }); // prettier-ignore
  const teacher = { onnx: path.join(run, 'teacher.onnx') };
  const made = await recipe({ ...NUMBERS, labelled: 0 }, { teacher, distill: { epochs: 20, ...TRAINING } });
  const { report } = await runRecipe(made, { out: path.join(folder(), 'numbers') });
  const student = report.models.find(({ id }) => id === 'distilled')!;
  // Of numbers around 20, whose deviation is about 2.
  expect(student.score.test).toBeLessThan(1);
  expect(reportMarkdown(report)).toContain('every score is against the answers of teacher.onnx');
  const some = await runRecipe(await recipe({ ...NUMBERS, train: 'some.csv' }, { teacher, distill: { epochs: 20, ...TRAINING } }), { out: path.join(folder(), 'some') }); // prettier-ignore
  expect(some.report.dataset.labelled).toBe(55);
  expect(some.report.models.find(({ id }) => id === 'distilled')!.score.test).toBeLessThan(1);
});
