import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../../src/base/events.ts';
import { reportOf } from '../../../src/folder/report/report-files.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import type { ModelRow } from '../../../src/report/types.ts';
import { QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { writeData } from '../../support/tiny.ts';

const folder = temporaryFolder();
beforeEach(() => writeData(folder()));

const BASE = {
  name: 'r',
  dataset: { type: 'csv', train: 'data.csv', testFraction: 0.2 },
  student: { model: 'mlp', hidden: [4] },
  distill: { epochs: 2, batchSize: 16 },
  ...QUICK,
};
const TEACHER = { train: { model: 'mlp', hidden: [8], epochs: 8, batchSize: 16, optimizer: { learningRate: 0.02 } } };

const run = (change: object, onEvent: (event: RunEvent) => void = () => undefined) =>
  runRecipe(makeRecipe({ ...BASE, ...change }, folder()), { out: folder(), onEvent });
const inRun = (file = '', name = 'r'): string => path.join(folder(), name, file);

/** A run that fails, and where its report says that it did. */
async function failure(change: { name?: string; [key: string]: unknown }, onEvent?: (event: RunEvent) => void) {
  const error = await run(change, onEvent).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  const report = await reportOf(inRun('', change.name));
  expect(report).toMatchObject({ status: 'failed', stopped: { reason: error?.message } });
  return { report, stage: report.stopped!.stage };
}

const throwAt =
  (type: RunEvent['type'], stage: string) =>
  (event: RunEvent): void => {
    if (event.type === type && 'stage' in event && event.stage === stage) throw new Error('no more');
  };

describe('a run that fails before it has read its data leaves nothing behind', () => {
  const target = { p95Ms: 10, sizeKb: 40, widths: [1], amounts: [0, 0.5], rounds: 1 };
  it.each<[string, object, RegExp]>([
    ['no such file', { dataset: { ...BASE.dataset, train: 'gone.csv' } }, /gone\.csv/],
    ['no engine', { device: 'coreml' }, /coreml/],
    ['a search', { dataset: { ...BASE.dataset, train: 'gone.csv' }, teacher: TEACHER, target }, /gone\.csv/],
  ])('%s', async (_, change, message) => {
    await expect(run(change)).rejects.toThrow(message);
    expect(existsSync(inRun())).toBe(false);
  });

  it('or what was there', async () => {
    mkdirSync(inRun());
    await expect(run({ dataset: { ...BASE.dataset, train: 'gone.csv' } })).rejects.toThrow(/gone\.csv/);
    expect(readdirSync(inRun()).sort()).toEqual(['log.jsonl', 'recipe.json']);
  });
});

describe('a run that fails says in which stage', () => {
  it('in opening and checking a teacher', async () => {
    await writeFile(path.join(folder(), 'bad.onnx'), 'no model');
    expect((await failure({ teacher: { onnx: 'bad.onnx' } })).stage).toBe('open teacher');
    await run({ name: 't', student: undefined, teacher: TEACHER });
    const teacher = { onnx: 't/teacher.onnx', minAccuracy: 1 };
    expect((await failure({ name: 'checked', teacher })).stage).toBe('check teacher');
  });

  it('in exporting and in measuring', async () => {
    // A folder where the file should be: the training is done, the export fails.
    const block = (event: RunEvent): void => {
      if (event.type === 'epoch' && event.epoch === 1) mkdirSync(inRun('exports/scratch.onnx'), { recursive: true });
    };
    const exporting = await failure({}, block);
    expect(exporting.stage).toBe('export exports/scratch.onnx');
    expect(exporting.report.models.map(({ id, file }) => [id, file])).toEqual([['scratch', null]]);
    expect(exporting.report.dataset).toMatchObject({ classes: 2, samples: { test: 40 } });
    await rm(inRun('exports'), { recursive: true });
    const measuring = await failure({}, throwAt('done', 'measure exports/scratch.onnx'));
    expect(measuring.stage).toBe('measure exports/scratch.onnx');
  });

  it('in quantizing, and in exporting what was quantized', async () => {
    expect((await failure({ quantize: { keepFloat: ['dens1'] } })).stage).toBe('quantize-1');
    const quantize = { samples: 32, maxDrop: 100 };
    const dropped = await failure({ name: 'q', quantize }, throwAt('done', 'export exports/scratch-int8.onnx'));
    expect(dropped.stage).toBe('export exports/scratch-int8.onnx');
  });

  it('and tells each file as the finished run does', async () => {
    const compressed = {
      prune: [{ type: 'magnitude', amount: 0.5, finetune: { epochs: 0 }, maxDrop: 100 }],
      quantize: [
        { scheme: 'int16x8', samples: 512, calibrator: 'minmax', maxDrop: 100 },
        { scheme: 'int8', samples: 512, calibrator: 'minmax', maxDrop: 100 },
        { scheme: 'int8', samples: 512, calibrator: 'minmax', maxDrop: 100, method: 'qat', qat: { epochs: 1 } },
      ],
      export: ['onnx', 'tflite'],
      repeats: 2,
    };
    const last = 'measure exports/pruned-1-int8-qat.tflite';
    const { models, stopped } = (await failure(compressed, throwAt('done', last))).report;
    expect(stopped).toEqual({ stage: last, reason: 'no more' });
    const told = (rows: readonly ModelRow[]) =>
      rows.map(({ id, model, stage, format, precision, method, file, score }) => ({
        ...{ id, model, stage, format, precision, method, file, score },
      }));
    expect(models.map(({ id, precision }) => [id, precision])).toEqual([
      ['scratch', 'fp32'],
      ['pruned-1', 'fp32'],
      ['pruned-1-tflite', 'fp32'],
      ['pruned-1-int16x8-tflite', 'int16x8'],
      ['pruned-1-int8', 'int8'],
      ['pruned-1-int8-tflite', 'int8'],
      ['pruned-1-int8-qat', 'int8'],
      ['pruned-1-int8-qat-tflite', 'int8'],
    ]);
    const { report } = await run(compressed);
    expect(told(models)).toEqual(told(report.models));
  });

  it('and warns where even that cannot be written', async () => {
    const warnings: string[] = [];
    const block = (event: RunEvent): void => {
      if (event.type === 'stage' && event.stage === 'report') mkdirSync(inRun('report.md'));
      if (event.type === 'warning') warnings.push(event.message);
    };
    await expect(run({}, block)).rejects.toThrow(/report\.md/);
    expect(warnings).toEqual([
      expect.stringMatching(/^the report of where the run stopped cannot be written: .*report\.md/),
    ]);
  });
});

it('a run that goes on leaves no report of its earlier stop behind, and one that was killed is told by its ledger', async () => {
  expect((await failure({ teacher: TEACHER }, throwAt('epoch', 'distill'))).stage).toBe('distill');
  let isThere = true;
  await failure({ teacher: TEACHER }, (event) => {
    if (event.type !== 'stage' || event.stage !== 'data') return;
    isThere = existsSync(inRun('report.json'));
    throw new Error('begun');
  });
  expect(isThere).toBe(false);
  // What a kill leaves: all but the report.
  await rm(inRun('report.json'));
  const report = await reportOf(inRun());
  expect(report).toMatchObject({
    status: 'interrupted',
    stopped: { stage: 'data', reason: 'it was killed, or is still going on' },
    dataset: { classes: 2 },
  });
  expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'scratch']);
  expect(report.training!.map(({ stage }) => stage)).toEqual(['teach', 'scratch']);
});
