import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { models } from '../../src/models/registry.ts';
import { runRecipe } from '../../src/pipeline/run.ts';
import { refuseMissing } from '../../src/pipeline/runnable.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const RECIPES = path.join(ROOT, 'recipes');

/** Two steps for each student on a handful of samples. */
const SHORT = [
  'dataset.limit=40',
  'distill.batchSize=20',
  'distill.epochs=1',
  'repeats=1',
  'report.latency.seconds=0',
  'threads=1',
];
/** A teacher must be better than chance, which takes a few more. */
const SHORT_TEACHER = ['teacher.train.batchSize=20', 'teacher.train.epochs=5'];

/** Data that is not in the repository, by recipe: other data of the same format; and less of what takes long. */
const STAND_INS: Record<string, () => Promise<string[]>> = {
  'fashion-mnist-search.yaml': () =>
    Promise.resolve(['target.widths=[1]', 'target.amounts=[0,0.5]', 'target.rounds=1']),
  'quantize-ds-cnn.yaml': () => Promise.resolve(['quantize.1.adaround={iterations: 4}', 'export=[onnx]']),
  'quantize-resnet8.yaml': () => Promise.resolve(['quantize.1.adaround={iterations: 4}', 'export=[onnx]']),
  'hinton-mnist.yaml': () => {
    const file = (name: string): string => path.join(ROOT, 'datasets/fashion-mnist', `${name}-ubyte.gz`);
    const splits = { train: 'train', test: 't10k' };
    return Promise.resolve(
      Object.entries(splits).flatMap(([split, name]) => [
        `dataset.${split}.images=${file(`${name}-images-idx3`)}`,
        `dataset.${split}.labels=${file(`${name}-labels-idx1`)}`,
      ]),
    );
  },
  'cifar100-resnet32x4-8x4.yaml': async () => {
    const at = path.join(folder(), 'cifar-100-binary');
    await mkdir(at);
    // A coarse label, a fine one, 3,072 bytes of pixels. Two of the 100 classes: what two steps can learn.
    const record = (_: unknown, i: number): Buffer =>
      Buffer.alloc(3074, (i * 89) % 256)
        .fill(0, 0, 1)
        .fill(i % 2, 1, 2);
    const write = (name: string, count: number): Promise<void> =>
      writeFile(path.join(at, name), Buffer.concat(Array.from({ length: count }, record)));
    await Promise.all([write('train.bin', 40), write('test.bin', 20)]);
    // As deep as its student, the teacher takes seconds instead of a minute.
    const teacher = ['depth=8', 'batchSize=6', 'epochs=1'].map((change) => `teacher.train.${change}`);
    const small = ['dataset.limit=12', 'distill.batchSize=6', ...teacher];
    return [`dataset.train=${at}`, `dataset.test=${at}`, ...small];
  },
};

const names = (await readdir(RECIPES)).filter((name) => name.endsWith('.yaml'));

it.each(names)('%s runs to its end, two steps for each student', async (name) => {
  const file = path.join(RECIPES, name);
  const text = await readFile(file, 'utf8');
  const trains = parseRecipe(text, file).recipe.teacher?.train !== undefined;
  const short = [...SHORT, ...(trains ? SHORT_TEACHER : [])];
  const set = [...short, ...((await STAND_INS[name]?.()) ?? [])];
  const loaded = parseRecipe(text, file, { models, set });
  refuseMissing(loaded.recipe);
  const { report } = await runRecipe(loaded, { out: folder() });
  const { teacher, student } = loaded.recipe;
  expect(report.status).toBe('complete');
  const ids = report.models.map(({ id }) => id);
  if (teacher !== undefined) expect(ids).toContain('teacher');
  if (student !== undefined) expect(ids).toContain('distilled');
});
