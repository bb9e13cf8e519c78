// Needs the feature next-token.
import { UserError } from '../../../src/base/errors.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import '../../support/tasks.ts';

const recipe = (change: object = {}, data: object = {}) => ({
  name: 'r',
  dataset: { type: 'texts', task: 'next-token', train: 'a.jsonl', test: 'b.jsonl', ...data },
  teacher: { train: { model: 'decoder', epochs: 1 } },
  student: { model: 'decoder' },
  ...change,
});

it('is read', () => {
  expect(makeRecipe(recipe(), '/').recipe.distill).toMatchObject({ loss: 'kd', temperature: 1 });
});

it.each<[string, object, object, string]>([
  ['TFLite files', { export: ['tflite'] }, {}, 'onnx for next-token: LiteRT does not run such models in int8'],
  ['pruning', { prune: [{ sparsity: 0.5 }] }, {}, 'none for next-token: heads and tied embeddings are not pruned'],
  ['samples without labels', {}, { unlabelled: 'c.jsonl' }, 'no such key for next-token: each text says itself'],
  ['hashes of words', {}, { text: { tokenizer: 'hashed' } }, 'bytes or a tokenizer.json for next-token'],
  ['data of another type', {}, { type: 'csv', label: 'y' }, 'texts for this task'],
  ['a loss of other rows', { distill: { loss: 'dist' } }, {}, 'a loss for next-token: kd or mse'],
  ['texts for another task', {}, { task: 'classification' }, 'for which task is next-token'],
])('%s are refused by name', (_, change, data, message) => {
  expect(() => makeRecipe(recipe(change, data), '/')).toThrow(UserError);
  expect(() => makeRecipe(recipe(change, data), '/')).toThrow(message);
});
