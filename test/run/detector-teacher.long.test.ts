import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../src/base/errors.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { ROW } from '../../src/answers/boxes/suppression.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { SIDE, writeColouredBoxes } from '../support/coloured-boxes.ts';
import { asYolov8 } from '../support/detectors.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const source = (name: string) => ({ images: name, labels: `${name}.json` });
const made = (name: string, change: object, dataset: object = {}) =>
  makeRecipe(
    {
      name,
      dataset: {
        ...{ type: 'coco', task: 'detection', train: source('train'), test: source('test') },
        ...{ maxBoxes: 4, resize: [SIDE, SIDE], validation: 40, augment: [{ flip: 'horizontal' }], ...dataset },
      },
      ...{ ...QUICK, baseline: false, ...change },
    },
    folder(),
  );

const optimizer = { type: 'adamw', learningRate: 0.01, schedule: 'onecycle' };

it('a detector of another layout teaches its boxes, beside few labels, stopped and resumed with the same bytes', async () => {
  await writeColouredBoxes(folder(), 'train', 200);
  await writeColouredBoxes(folder(), 'test', 40);
  const training = { epochs: 15, batchSize: 16, optimizer };
  const labels = made('labels', {
    teacher: { train: { model: 'det-nano', alpha: 0.1, filters: 8, epochs: 1, batchSize: 16 } },
    student: { model: 'det-nano', alpha: 0.2, filters: 16 },
    distill: { ...training, alpha: 0 },
  });
  const { report: first } = await runRecipe(labels, { out: folder() });
  const known = first.models.find(({ id }) => id === 'distilled')!.score.test!;
  const file = path.join(folder(), 'detector.onnx');
  await writeFile(file, asYolov8(readFileSync(path.join(folder(), 'labels/exports/distilled.onnx')), SIDE));

  const change = {
    teacher: { onnx: file, decoder: 'yolov8' },
    student: { model: 'det-nano', alpha: 0.2, filters: 16 },
    distill: { ...training, epochs: 6, alpha: 0.5, minConfidence: 0.2, softTargets: { views: 2 } },
  };
  const few = made('few', change, { labelled: 24 });
  const { report, folder: run } = await runRecipe(few, { out: folder() });
  const scores = Object.fromEntries(report.models.map(({ id, score }) => [id, score.test!]));
  expect(Math.abs(scores['teacher']! - known)).toBeLessThan(0.02);
  expect(scores['distilled']).toBeGreaterThan(0);
  expect(report.models[0]!.boxes!.ap).toBe(scores['teacher']);
  expect(report.teacher).toMatchObject({ store: 'fp16', views: 2, bytes: 160 * (2 * ROW * 2 + 4) });
  expect(report.examples!.rows.some(({ boxes }) => boxes!.teacher.length > 0)).toBe(true);
  expect((await evaluateFile(file, few, 'test')).score!.value).toBe(scores['teacher']);

  const bytes = () => readFile(path.join(run, 'exports/distilled.onnx'), 'base64');
  const whole = await bytes();
  const stop = new AbortController();
  let epochs = 0;
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type === 'epoch' && ++epochs === 3) stop.abort();
  };
  const begun = runRecipe(few, { out: folder(), existing: 'fresh', signal: stop.signal, onEvent });
  await expect(begun).rejects.toThrow(InterruptedError);
  await runRecipe(few, { out: folder() });
  expect(await bytes()).toBe(whole);
});
