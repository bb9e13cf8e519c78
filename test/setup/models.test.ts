import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Dataset } from '../../src/data/dataset.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { studentBuilder } from '../../src/setup/models.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import '../support/tasks.ts';

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

describe('a module as the documents have it', () => {
  /** The network that a module gives for pictures of 8×8 pixels in three classes. */
  const networkOf = async (text: string) => {
    await writeFile(path.join(folder(), 'student.mjs'), text);
    const dataset = { type: 'image-folder', train: 'train' };
    const { recipe } = makeRecipe({ name: 'r', dataset, student: { module: 'student.mjs' } }, folder());
    const train = { task: 'classification', sampleShape: [8, 8, 3], classNames: CLASSES } as unknown as Dataset;
    return studentBuilder({ recipe, data: { train, classNames: CLASSES } }, 7)();
  };

  it('is a student, with the same weights each time', async () => {
    const page = await readFile(path.join(ROOT, 'docs/student-module.md'), 'utf8');
    const [, sample] = /```js\n([^]*?)```/.exec(page)!;
    const [first, second] = [await networkOf(sample!), await networkOf(sample!)];
    expect(Object.values(first.outputs)[0]!.shape).toEqual(['batch', 3]);
    const weights = (network: typeof first) => Object.entries(network.state).map(([name, value]) => [name, [...value.dataSync()]]); // prettier-ignore
    expect(weights(first)).toEqual(weights(second));
  });

  it('may have layers of its own, and may be asynchronous', async () => {
    const text = `export default async ({ tf, inputShape, classes }) => {
      class Twice extends tf.layers.Layer {
        call([x]) { return tf.mul(x, 2); }
        computeOutputShape(shape) { return shape; }
        static get className() { return 'Twice'; }
      }
      const input = tf.input({ shape: inputShape });
      const flat = tf.layers.flatten().apply(new Twice({}).apply(input));
      return tf.model({ inputs: input, outputs: tf.layers.dense({ units: classes }).apply(flat) });
    };`;
    const network = await networkOf(text);
    const input = tf.ones([2, 8, 8, 3]);
    expect(network.forward({ input }, { training: false }).outputs['logits']!.shape).toEqual([2, 3]);
  });
});

it('a student for a table has layers of the size of the table, unless the recipe names them', async () => {
  const unitsOf = async (features: number, student: object = {}) => {
    const dataset = { type: 'csv', train: 't.csv' };
    const { recipe } = makeRecipe({ name: 'r', dataset, student: { model: 'mlp', ...student } }, folder());
    const train = { task: 'classification', sampleShape: [features], classNames: CLASSES } as unknown as Dataset;
    const { state } = await studentBuilder({ recipe, data: { train, classNames: CLASSES } }, 0)();
    return Object.values(state).flatMap(({ shape }) => (shape.length === 2 ? [shape[1]] : []));
  };
  expect(await unitsOf(4)).toEqual([16, 8, 3]);
  expect(await unitsOf(22)).toEqual([32, 16, 3]);
  expect(await unitsOf(22, { width: 0.5 })).toEqual([16, 8, 3]);
  expect(await unitsOf(900)).toEqual([256, 128, 3]);
  expect(await unitsOf(22, { hidden: [7] })).toEqual([7, 3]);
});
