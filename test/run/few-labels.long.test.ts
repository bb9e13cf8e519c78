import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import type { RunEvent } from '../../src/base/events.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { checkData } from '../../src/run/check-data.ts';
import { runRecipe } from '../../src/run/run.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { CLASSES, fewLabels, NUMBERS, table, TRAINING } from '../support/few-labels.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const recipe = (dataset: object, change?: object) => fewLabels(folder(), dataset, change);

it('the twin is the student that is trained on the labelled samples alone', async () => {
  await writeFile(path.join(folder(), 'hundred.csv'), table(400, 0).split('\n').slice(0, 101).join('\n'));
  const own = { ...CLASSES, train: 'hundred.csv', validation: 'test.csv', normalize: 'none' };
  const pool = { ...own, unlabelled: 'train.csv' };
  // 100 samples make 4 steps a pass and 500 make 16: the twin goes through its own four times in an epoch.
  const { report } = await runRecipe(await recipe(pool, { distill: { epochs: 1, ...TRAINING, optimizer: { learningRate: 0.02, schedule: 'constant' } } }), { out: path.join(folder(), 'pool') }); // prettier-ignore
  expect(report.dataset).toMatchObject({ samples: { train: 500 }, labelled: 100 });
  const alone = await recipe(own, { teacher: undefined, distill: { epochs: 4, ...TRAINING, optimizer: { learningRate: 0.02, schedule: 'constant' } } }); // prettier-ignore
  const { report: other } = await runRecipe(alone, { out: path.join(folder(), 'alone') });
  const twin = report.models.find(({ id }) => id === 'scratch')!;
  expect(other.models.find(({ id }) => id === 'scratch')!.score).toEqual(twin.score);
});

it('no labels at all: scores are against the teacher, and that is said everywhere', async () => {
  const { folder: run } = await runRecipe(await recipe(CLASSES, { student: undefined, name: 'teach' }), {
    out: folder(),
  });
  const teacher = { onnx: path.join(run, 'teacher.onnx') };
  const made = await recipe({ ...CLASSES, labelled: 0, classes: ['no', 'yes'] }, { teacher });
  const warnings: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'warning') warnings.push(event.message);
  };
  const { report, folder: own } = await runRecipe(made, { out: path.join(folder(), 'none'), onEvent });
  expect(report.dataset).toMatchObject({ labelledBy: 'teacher.onnx', labelled: 0 });
  expect(report.models.map(({ id, score }) => [id, score.test])).toEqual([['teacher', 1], ['distilled', expect.any(Number)]]); // prettier-ignore
  expect(report.verdict).toBeUndefined();
  const says =
    'every score is agreement with the teacher, the share of samples that get the class that teacher.onnx gives them';
  for (const text of [reportMarkdown(report), reportHtml(report)]) expect(text).toContain(says);
  expect(warnings).toContain('no labels are read: every score is agreement with teacher.onnx, not accuracy');
  expect(report.notes.find((note) => note.startsWith('no twin was trained'))).toMatch(/no sample of train has a label/);
  const { said, accuracy, labelledBy } = await evaluateFile(path.join(own, 'exports/distilled.onnx'), made, 'test');
  expect(said).toMatch(/^gives the class that teacher\.onnx gives on [\d.]+ % of 100 test samples$/);
  expect([labelledBy, accuracy]).toEqual(['teacher.onnx', report.models[1]!.score.test]);
  await expect(evaluateFile(teacher.onnx, made, 'train')).rejects.toThrow('no sample of the split train has a label');
  await writeKit(own, path.join(folder(), 'kit'));
  const examples = JSON.parse(await readFile(path.join(folder(), 'kit/example.json'), 'utf8')) as object[];
  expect(examples[0]).not.toHaveProperty('label');
  const { messages } = await checkData(made.recipe);
  expect(messages).toEqual([
    'teacher teacher.onnx: answers 60 validation samples, and no label says how often it is right',
  ]);
});

describe('what cannot be is refused', () => {
  it.each<[string, object, object, RegExp]>([
    ['a loss that asks for the true class', { ...CLASSES, labelled: 50 }, { distill: { loss: 'dkd' } }, /distill\.loss: dkd needs the true class or number, and 290 of 340 samples/],
    ['empty labels without a teacher', { ...CLASSES, train: 'some.csv' }, { teacher: undefined }, /some\.csv:103: the label is empty, and the recipe has no teacher/],
    ['a pool without a teacher', { ...CLASSES, unlabelled: 'train.csv' }, { teacher: undefined }, /dataset\.unlabelled: expected a teacher that answers/],
    ['a teacher that is to be trained without labels', { ...CLASSES, labelled: 0, classes: ['no', 'yes'] }, {}, /teacher\.train: expected labels to train a teacher/],
    ['confidence of numbers', NUMBERS, { distill: { minConfidence: 0.5 } }, /minConfidence.*no such key for regression/],
    ['confidence without a teacher', CLASSES, { teacher: undefined, distill: { minConfidence: 0.5 } }, /minConfidence: expected a teacher, without which it has no effect/],
  ])('%s', async (_, dataset, change, message) => {
    const work = async () => checkData((await recipe(dataset, change)).recipe);
    await expect(work()).rejects.toThrow(UserError);
    await expect(work()).rejects.toThrow(message);
  }); // prettier-ignore
});
