import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Dataset } from '../../src/data/dataset.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { studentBuilder } from '../../src/setup/models.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
beforeAll(() => useLazyBackend(evaluator));

const CLASSES = ['road', 'sky', 'tree'];

/** Shapes of the outputs of a module of these layers for pictures of 8×8 pixels and a class for each square of 2×2. */
async function outputs(layers: string) {
  const text = `export default ({ tf, inputShape, fields: [{ shape }] }) => tf.sequential({ layers: [${layers}] });`;
  await writeFile(path.join(folder(), 'm.mjs'), text);
  const dataset = { type: 'mask-folder', task: 'segmentation', train: 'train', stride: 2 };
  const { recipe } = makeRecipe({ name: 'r', dataset, student: { module: 'm.mjs' } }, folder());
  const train = { task: 'segmentation', sampleShape: [8, 8, 1], classNames: CLASSES, stride: 2 } as unknown as Dataset;
  const network = await studentBuilder({ recipe, data: { train, classNames: CLASSES } }, 0)();
  return Object.values(network.outputs).map(({ shape }) => shape);
}

it('takes a module whose output has the shape of the answers', async () => {
  const conv = 'tf.layers.conv2d({ inputShape, filters: shape[2], kernelSize: 2, strides: 2 })';
  expect(await outputs(conv)).toEqual([['batch', 4, 4, 3]]);
});

it('refuses a module that answers once for a picture where each place has an answer', async () => {
  const once = 'tf.layers.flatten({ inputShape }), tf.layers.dense({ units: shape[2] })';
  await expect(outputs(once)).rejects.toThrow(
    'm.mjs: expected logits of shape [4, 4, 3], received an output of shape [3] for each sample',
  );
});
