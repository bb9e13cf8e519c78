import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError, UserError } from '../../src/base/errors.ts';
import type { RunEvent } from '../../src/base/events.ts';
import { parseReport } from '../../src/report/read.ts';
import { reportHtml } from '../../src/report/html.ts';
import { reportMarkdown } from '../../src/report/markdown.ts';
import { checkData } from '../../src/run/check-data.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** Two classes, or a number, that follow from two features; no label where `hasLabel` says so. */
function table(rows: number, first: number, hasLabel: (i: number) => boolean = () => true): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b] = [1, 2.3].map((step) => Math.sin(step * (first + i) + step)) as [number, number];
    const label = hasLabel(i) ? [a * b > 0.1 ? 'yes' : 'no', 20 + 3 * a - b] : ['', ''];
    return [a, b, ...label].join(',');
  });
  return `a,b,kind,size\n${lines.join('\n')}\n`;
}

const TRAINING = { batchSize: 32, optimizer: { learningRate: 0.02 } };
const CLASSES = { label: 'kind', ignore: ['size'] };
const NUMBERS = { label: 'size', ignore: ['kind'], task: 'regression' };

async function recipe(dataset: object, change: object = {}) {
  await writeFile(path.join(folder(), 'train.csv'), table(400, 0));
  await writeFile(
    path.join(folder(), 'some.csv'),
    table(400, 0, (i) => i < 100 || i % 20 === 0),
  );
  await writeFile(path.join(folder(), 'test.csv'), table(100, 400));
  const given = { type: 'csv', train: 'train.csv', test: 'test.csv', validation: 60, ...dataset };
  const made = {
    ...{ name: 'few', dataset: given, student: { model: 'mlp', hidden: [16] } },
    teacher: { train: { model: 'mlp', hidden: [32], epochs: 8, ...TRAINING } },
    distill: { epochs: 4, ...TRAINING },
    ...{ ...QUICK, ...change },
  };
  return makeRecipe(made, folder());
}

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
    for (const { score } of epochs) expect(score > 0 && score <= 1).toBe(true);

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
  expect(warnings).toContain('no labels are read: every score is against the answers of teacher.onnx, and says nothing of how often either is right'); // prettier-ignore
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

describe('what cannot be is refused', () => {
  it.each<[string, object, object, RegExp]>([
    ['a loss that asks for the true class', { ...CLASSES, labelled: 50 }, { distill: { loss: 'dkd' } }, /distill\.loss: dkd asks which class or number is the true one, and 290 of 340 samples/],
    ['empty labels without a teacher', { ...CLASSES, train: 'some.csv' }, { teacher: undefined }, /some\.csv:103: the label is empty, and the recipe has no teacher/],
    ['a pool without a teacher', { ...CLASSES, unlabelled: 'train.csv' }, { teacher: undefined }, /dataset\.unlabelled: expected a teacher that answers/],
    ['a teacher that is to be trained without labels', { ...CLASSES, labelled: 0, classes: ['no', 'yes'] }, {}, /teacher\.train: expected labels to train a teacher with/],
    ['confidence of numbers', NUMBERS, { distill: { minConfidence: 0.5 } }, /minConfidence.*no such key for regression/],
    ['confidence without a teacher', CLASSES, { teacher: undefined, distill: { minConfidence: 0.5 } }, /minConfidence: expected a teacher, without which it has no effect/],
  ])('%s', async (_, dataset, change, message) => {
    const work = async () => checkData((await recipe(dataset, change)).recipe);
    await expect(work()).rejects.toThrow(UserError);
    await expect(work()).rejects.toThrow(message);
  }); // prettier-ignore
});
