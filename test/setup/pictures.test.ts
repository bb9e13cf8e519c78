import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { buildModel, models } from '../../src/networks/models/registry.ts';
import { loadData, loadFedData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';

import { temporaryFolder } from '../support/folder.ts';
import { modelOf } from '../support/onnx-steps.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [COUNT, STEPS, CHANNELS] = [40, 16, 18];
const SEQUENCE = [STEPS, CHANNELS];
const PICTURE = [...SEQUENCE, 1];

beforeEach(async () => {
  const values = Float32Array.from({ length: COUNT * STEPS * CHANNELS }, (_, i) => Math.sin(i) + (i % CHANNELS));
  await writeFile(at('x.npy'), npyBytes([COUNT, STEPS, CHANNELS], values));
  await writeFile(
    at('y.npy'),
    npyBytes(
      [COUNT],
      Int32Array.from({ length: COUNT }, (_, i) => i % 2),
    ),
  );
  const file = (dims: readonly (number | string)[]) => encodeModel(modelOf(dims, {}, [['Relu', ['x']]]));
  await writeFile(at('sequences.onnx'), file(['n', STEPS, CHANNELS]));
  await writeFile(at('pictures.onnx'), file(['n', 1, STEPS, CHANNELS]));
});

const recipeOf = (parts: object, dataset: object = {}) => {
  const train = { samples: at('x.npy'), labels: at('y.npy') };
  return makeRecipe({ name: 'r', dataset: { type: 'npz', train, ...dataset }, ...parts }).recipe;
};
const shapeOf = async (parts: object, dataset: object = {}) =>
  (await loadData(recipeOf(parts, dataset))).train.sampleShape;

it('arrays [steps, channels] stay as they are, normalized channel by channel', async () => {
  for (const student of [{ model: 'gru' }, { model: 'mlp' }, { onnx: at('sequences.onnx') }])
    expect(await shapeOf({ student })).toEqual(SEQUENCE);
  const { train } = await loadData(recipeOf({ student: { model: 'gru' } }));
  expect(train.normalization.mean).toHaveLength(CHANNELS);
  expect(train.normalization.mean.every((mean, c) => Math.abs(mean - c) < 0.2)).toBe(true);
});

it.each<[string, () => object, object]>([
  ['a named network of pictures', () => ({ student: { model: 'lenet' } }), {}],
  ['one that is the teacher', () => ({ student: { model: 'gru' }, teacher: { train: { model: 'cnn' } } }), {}],
  [
    'one of the chain',
    () => ({ student: { model: 'gru' }, teacher: { train: { model: 'mlp' }, chain: [{ model: 'cnn' }] } }),
    {},
  ],
  ['a peer', () => ({ student: { model: 'mlp' }, distill: { loss: 'mutual', peer: { model: 'lenet' } } }), {}],
  ['a file with an input of pictures', () => ({ student: { onnx: at('pictures.onnx') } }), {}],
  ['a teacher from such a file', () => ({ student: { model: 'mlp' }, teacher: { onnx: at('pictures.onnx') } }), {}],
  [
    'a teacher of another size',
    () => ({ student: { model: 'mlp' }, teacher: { onnx: 'gone.onnx', resize: [32, 32] } }),
    {},
  ],
  ['an augmentation of pictures', () => ({ student: { model: 'mlp' } }), { augment: [{ flip: 'horizontal' }] }],
  ['a layout of pictures', () => ({ student: { model: 'mlp' } }), { layout: 'nhwc' }],
])('%s makes grey pictures of them, with one mean', async (_, parts, dataset) => {
  const { train } = await loadData(recipeOf(parts(), dataset));
  expect([train.sampleShape, train.normalization.mean.length]).toEqual([PICTURE, 1]);
});

it('mixup leaves them as they are', async () => {
  expect(await shapeOf({ student: { model: 'gru' } }, { augment: [{ mixup: 0.2 }] })).toEqual(SEQUENCE);
});

it('a file that is evaluated decides as well', async () => {
  const recipe = recipeOf({ student: { model: 'mlp' } });
  const fed = async (file: string) => (await loadFedData({ ...recipe, file: at(file) }, undefined, false)).train;
  expect((await fed('pictures.onnx')).sampleShape).toEqual(PICTURE);
  expect((await fed('sequences.onnx')).sampleShape).toEqual(SEQUENCE);
});

it.each(Object.keys(models))('%s says whether it takes pictures alone', (name) => {
  let message = '';
  try {
    buildModel(name, { inputShape: [16, 16], classes: 2, seed: 0, answersPer: models[name]!.answersPer?.[0] });
  } catch (error) {
    message = (error as Error).message;
  }
  expect(models[name]!.isOfPictures === true).toBe(/takes images/.test(message));
});
