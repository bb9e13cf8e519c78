import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { saveTfjs } from '../support/saved-tfjs.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** A model.json with its weights beside it, as tfjs writes them. */
async function save(units: number, inputShape = [8, 8, 1]): Promise<void> {
  useLazyBackend(evaluator);
  const model = sequential();
  model.add(layers.flatten({ inputShape, name: 'flat' }));
  const seeded = (seed: number) => initializers.glorotUniform({ seed });
  model.add(layers.dense({ units: 12, activation: 'relu', kernelInitializer: seeded(1), name: 'hidden' }));
  model.add(layers.dense({ units, kernelInitializer: seeded(2), name: 'logits' }));
  await saveTfjs(model, folder());
}

const run = (student: object = { tfjs: 'model.json' }, distill: object = {}, existing: 'ask' | 'fresh' = 'ask') =>
  runRecipe(
    makeRecipe(
      {
        name: 'r',
        dataset: DIGITS,
        student,
        distill: { epochs: 6, optimizer: { learningRate: 0.01 }, ...distill },
        ...QUICK,
      },
      folder(),
    ),
    { out: folder(), existing },
  );

it('a model.json of the user is trained as the student', async () => {
  await save(10);
  const { report } = await run();
  const [student] = report.models;
  expect(student).toMatchObject({ id: 'scratch', params: 64 * 12 + 12 + 12 * 10 + 10 });
  expect(student!.score.validation).toBeGreaterThan(0.7);
});

it('a model that a module builds is trained, layers without names and weights without seeds the same each time', async () => {
  const file = path.join(folder(), 'model.mjs');
  await writeFile(
    file,
    `export default ({ tf, inputShape, classes }) => {
      const model = tf.sequential();
      model.add(tf.layers.flatten({ inputShape }));
      model.add(tf.layers.dense({ units: 12, activation: 'relu' }));
      model.add(tf.layers.dense({ units: classes }));
      return model;
    };`,
  );
  const first = await run({ module: file }, { ema: 0.9 });
  expect(first.report.models[0]).toMatchObject({ id: 'scratch', params: 64 * 12 + 12 + 12 * 10 + 10 });
  expect(first.report.models[0]!.score.validation).toBeGreaterThan(0.7);
  const exported = path.join(first.folder, first.report.models[0]!.file!);
  const bytes = await readFile(exported);
  await run({ module: file }, { ema: 0.9 }, 'fresh');
  expect((await readFile(exported)).equals(bytes)).toBe(true);
});

it.each([
  [{ format: 'graph-model', modelTopology: { node: [] }, weightsManifest: [] }],
  [{ modelTopology: { node: [] }, weightsManifest: [] }],
])('a graph model is refused with what to do instead: %j', async (json) => {
  await writeFile(path.join(folder(), 'model.json'), JSON.stringify(json));
  const attempt = run();
  await expect(attempt).rejects.toThrow(/model\.json: expected a tfjs layers model, received a tfjs graph model/);
  await expect(attempt).rejects.toMatchObject({ hint: expect.stringMatching(/teacher\.onnx/) as string });
});

it.each([
  [7, [8, 8, 1], 'expected logits for 10 classes, received an output of shape [7] for each sample'],
  [10, [9, 8, 1], 'expected an input of shape [8, 8, 1] for each sample, received [9, 8, 1]'],
])('one of %i classes for samples of %j is refused before training', async (units, inputShape, message) => {
  await save(units, inputShape);
  await expect(run()).rejects.toThrow(message);
});
