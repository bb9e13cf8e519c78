import { candidateRecipe } from '../../../src/folder/search/space.ts';
import { models } from '../../../src/networks/models/registry.ts';
import { completeRecipe } from '../../../src/recipe/load.ts';

const BASE = {
  name: 'r',
  dataset: { type: 'csv', train: 'a.csv', shape: [2, 2, 1], augment: [{ shift: 1 }] },
  teacher: { onnx: 't.onnx' },
  student: { model: 'mlp' },
  target: { sizeKb: 9 },
};

it.each([
  ['fp16', 2],
  ['live', undefined],
] as const)('candidates of a search have one number of views where answers are stored: %s', (store, views) => {
  const given = completeRecipe({ ...BASE, distill: { epochs: 2, softTargets: { store } } }, '/', models);
  const { recipe } = candidateRecipe(given, { width: 1, amount: 0 }, 0.25, given.recipe.target!);
  expect(recipe.distill.softTargets.views).toBe(views);
});

it.each([
  [{ model: 'ds-cnn', width: 0.5 }, { width: 0.25 }],
  [{ model: 'seg-lraspp' }, { alpha: 0.25 }],
  [{ model: 'seg-lraspp', filters: 64, backbone: { onnx: 'b.onnx' } }, { filters: 32 }],
  [{ model: 'unet', filters: 12 }, { filters: 6 }],
  [
    { model: 'mlp', hidden: [16, 9] },
    { hidden: [16, 9], width: 0.5 },
  ],
])('a candidate of half the width: %j', (student, expected) => {
  const given = completeRecipe({ ...BASE, student: { model: 'mlp' } }, '/', models);
  const at = { ...given, written: { ...given.written, student } } as typeof given;
  const { recipe } = candidateRecipe(at, { width: 0.5, amount: 0 }, 1, given.recipe.target!);
  expect(recipe.student).toMatchObject(expected);
});
