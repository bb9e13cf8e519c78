import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { runRecipe } from '../../src/pipeline/run.ts';
import { makeRecipe } from '../../src/pipeline/runnable.ts';
import { evaluator } from '../../src/runtime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** A model.json with its weights beside it, as tfjs writes them. */
async function save(units: number, inputShape = [8, 8, 1]): Promise<void> {
  useLazyBackend(evaluator);
  const model = sequential();
  model.add(layers.flatten({ inputShape, name: 'flat' }));
  model.add(layers.dense({ units: 12, activation: 'relu', name: 'hidden' }));
  model.add(layers.dense({ units, name: 'logits' }));
  let found: io.ModelArtifacts | undefined;
  await model.save({
    save: (artifacts) => {
      found = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    },
  });
  const { modelTopology, weightSpecs, weightData } = found!;
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  await writeFile(path.join(folder(), 'model.json'), JSON.stringify({ modelTopology, weightsManifest }));
  await writeFile(path.join(folder(), 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
}

const run = () =>
  runRecipe(
    makeRecipe(
      {
        name: 'r',
        dataset: {
          type: 'csv',
          train: path.join(ROOT, 'datasets/digits/train.csv'),
          test: path.join(ROOT, 'datasets/digits/test.csv'),
          label: 'digit',
          shape: [8, 8, 1],
          normalize: { mean: 0, std: 16 },
        },
        student: { tfjs: 'model.json' },
        distill: { epochs: 6, optimizer: { learningRate: 0.01 } },
        report: { latency: { seconds: 0 } },
      },
      folder(),
    ),
    { out: folder() },
  );

it('a model.json of the user is trained as the student', async () => {
  await save(10);
  const { report } = await run();
  const [student] = report.models;
  expect(student).toMatchObject({ id: 'scratch', params: 64 * 12 + 12 + 12 * 10 + 10 });
  expect(student!.accuracy.validation).toBeGreaterThan(0.7);
});

it.each([
  [7, [8, 8, 1], 'expected logits for 10 classes, received an output of shape [, 7]'],
  [10, [9, 8, 1], 'expected an input of shape [8, 8, 1] for each sample, received [9, 8, 1]'],
])('one of %i classes for samples of %j is refused before training', async (units, inputShape, message) => {
  await save(units, inputShape);
  await expect(run()).rejects.toThrow(message);
});
