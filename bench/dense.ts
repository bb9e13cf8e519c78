/**
 * Weight of the teacher and temperature for answers about places, masks and boxes, where all samples have a label: students of three sets of
 * scenes by several settings, beside twins without the teacher.
 *
 *     npm run bench:dense -- [--task masks | boxes] [--sets emoji,garments,shapes] [--teachers fine,coarse] [--settings 1/0.2,2/0.5]
 *         [--repeats 3] [--epochs 10] [--out checkpoints/dense] [--results bench/dense/results.json] [--only-table]
 *
 * A setting is TEMPERATURE/ALPHA. The teacher `fine` is larger and trained longer than a student; `coarse` answers at a stride of 16 (masks), or
 * is trained for as long as the student (boxes), so that it is hardly better than the twin. Each figure is the mean gain on test over the twin that
 * begins from the same weights, with half of its 95 % interval by Student's t; the last columns take the differences of all sets together. Each finished figure is kept in the results, and the program can be
 * ended and started again.
 */
import '../src/features.ts';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { deviation, mean, tQuantile } from '../src/base/math/statistics.ts';
import { runRecipe } from '../src/run/run.ts';
import { makeRecipe } from '../src/setup/make-recipe.ts';
import { table } from './processes.ts';

const text = (value: string) => ({ type: 'string', default: value }) as const;
const { values } = parseArgs({
  options: {
    task: text('masks'),
    sets: text('emoji,garments,shapes'),
    teachers: text('fine,coarse'),
    settings: text('2/0.5,1/0.5,2/0.2,1/0.2,1/0.8'),
    repeats: text('3'),
    epochs: text('10'),
    out: text('checkpoints/dense'),
    results: text('bench/dense/results.json'),
    'only-table': { type: 'boolean', default: false },
  },
});
const [sets, teachers, settings] = [values.sets.split(','), values.teachers.split(','), values.settings.split(',')];
const [repeats, epochs] = [Number(values.repeats), Number(values.epochs)];
const isMasks = values.task === 'masks';

interface Figure {
  readonly teacher: number | null;
  readonly scores: readonly number[];
}

const results = existsSync(values.results)
  ? (JSON.parse(readFileSync(values.results, 'utf8')) as Record<string, Figure>)
  : {};
const keyOf = (...parts: readonly string[]): string => [values.task, epochs, repeats, ...parts].join(' ');
const optimizer = { type: 'adamw', learningRate: 0.004, schedule: 'onecycle', weightDecay: 0.0001, clipNorm: 10 };
const shared = { threads: 1, report: { latency: { seconds: 0 } }, export: ['onnx'] };

if (!values['only-table'])
  for (const set of sets) {
    makeScenes(set);
    await figureOf(keyOf(set, 'alone'), () => recipeOf(set));
    for (const teacher of teachers)
      for (const setting of settings)
        await figureOf(keyOf(set, teacher, setting), async () => recipeOf(set, await teacherOf(set, teacher), setting));
  }
print();

function folderOf(set: string): string {
  return set === 'emoji' ? 'datasets/emoji-scenes' : path.join(values.out, 'scenes', set);
}

function makeScenes(set: string): void {
  const folder = folderOf(set);
  if (!existsSync(path.join(folder, 'annotations', 'test.json')))
    execFileSync('node', ['bench/dense/scenes.mjs', set, folder], { stdio: 'inherit' });
}

function datasetOf(set: string, stride = 4) {
  const folder = path.resolve(folderOf(set));
  const splits = ['train', 'test'] as const;
  if (isMasks) {
    const [train, test] = splits.map((split) => path.join(folder, split));
    return {
      type: 'mask-folder',
      task: 'segmentation',
      train,
      test,
      resize: [96, 96],
      stride,
      augment: [{ flip: 'horizontal' }],
    };
  }
  const [train, test] = splits.map((split) => ({
    images: path.join(folder, split, 'images'),
    labels: path.join(folder, 'annotations', `${split}.json`),
  }));
  return {
    type: 'coco',
    task: 'detection',
    train,
    test,
    resize: [128, 128],
    maxBoxes: 12,
    augment: [{ flip: 'horizontal' }],
  };
}

/** File of a teacher, trained once. */
async function teacherOf(set: string, kind: string): Promise<string> {
  const name = `${values.task}-${set}-${kind}`;
  const file = path.join(values.out, name, 'teacher.onnx');
  if (existsSync(file)) return path.resolve(file);
  const isFine = kind === 'fine';
  const [model, stride] = isMasks
    ? [isFine ? { model: 'unet', filters: 16 } : { model: 'seg-lraspp', alpha: 0.5 }, isFine ? 4 : 8]
    : [{ model: isFine ? 'det-small' : 'det-nano' }, undefined];
  const training = { epochs: isFine ? 3 * epochs : epochs, batchSize: 8, optimizer };
  const recipe = {
    name,
    dataset: datasetOf(set, stride),
    teacher: { train: { ...model, ...training } },
    ...shared,
  };
  await runRecipe(makeRecipe(recipe, '.'), { out: values.out });
  return path.resolve(file);
}

function recipeOf(set: string, teacher?: string, setting = '') {
  const [temperature, alpha] = setting.split('/').map(Number);
  return {
    name: `${values.task}-${set}`,
    dataset: datasetOf(set),
    ...(teacher !== undefined && { teacher: { onnx: teacher } }),
    student: isMasks ? { model: 'seg-lraspp', alpha: 0.35 } : { model: 'det-nano' },
    baseline: teacher === undefined,
    distill: { epochs, batchSize: 8, optimizer, ...(teacher !== undefined && { temperature, alpha }) },
    repeats,
    ...shared,
  };
}

async function figureOf(key: string, recipe: () => unknown): Promise<void> {
  if (results[key] !== undefined) return;
  const { report } = await runRecipe(makeRecipe(await recipe(), '.'), { out: values.out, existing: 'fresh' });
  const row = (id: string) => report.models.find((model) => model.id === id);
  const student = row(key.endsWith('alone') ? 'scratch' : 'distilled')?.repeats;
  if (student === undefined) throw new Error(`${key}: the report has no repeats of the student`);
  results[key] = { teacher: row('teacher')?.score.test ?? null, scores: student.scores };
  mkdirSync(path.dirname(values.results), { recursive: true });
  writeFileSync(`${values.results}.half`, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(`${values.results}.half`, values.results);
  console.error(`${key}: ${results[key].scores.map((score) => (100 * score).toFixed(1)).join(', ')}`);
}

function print(): void {
  const columns = sets.flatMap((set) => teachers.map((teacher) => [set, teacher] as const));
  const of = (...parts: readonly string[]): Figure | undefined => results[keyOf(...parts)];
  const inPercent = (score: number | null | undefined): string =>
    typeof score === 'number' ? (100 * score).toFixed(1) : '';
  const differences = (set: string, teacher: string, setting: string): number[] => {
    const [own, twin] = [of(set, teacher, setting), of(set, 'alone')];
    return own && twin ? own.scores.map((score, i) => 100 * (score - twin.scores[i]!)) : [];
  };
  const gains = (from: readonly string[], teacher: string, setting: string): string => {
    const each = from.flatMap((set) => differences(set, teacher, setting));
    if (each.length < 2) return '';
    const half = (tQuantile(each.length - 1) * deviation(each, each.length - 1)) / Math.sqrt(each.length);
    return `${mean(each) < 0 ? '' : '+'}${mean(each).toFixed(1)} ± ${half.toFixed(1)}`;
  };
  const teacherRow = columns.map(([set, teacher]) =>
    inPercent(settings.map((setting) => of(set, teacher, setting)?.teacher).find((score) => score !== undefined)),
  );
  const twins = columns.map(([set]) => inPercent(of(set, 'alone') && mean(of(set, 'alone')!.scores)));
  const none = teachers.map(() => '');
  const rows = settings.map((setting) => {
    const [temperature, alpha] = setting.split('/');
    return [
      `T ${temperature}, alpha ${alpha}`,
      ...columns.map(([set, teacher]) => gains([set], teacher, setting)),
      ...teachers.map((teacher) => gains(sets, teacher, setting)),
    ];
  });
  console.log(
    `${isMasks ? 'Mean IoU' : 'mAP'} on test in %, ${epochs} epochs; points over the twin, mean of ${repeats}\n`,
  );
  console.log(
    table(
      ['', ...columns.map((names) => names.join(', ')), ...teachers.map((teacher) => `all, ${teacher}`)],
      [['teacher', ...teacherRow, ...none], ['twin', ...twins, ...none], ...rows],
    ),
  );
}
