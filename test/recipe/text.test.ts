import { makeRecipe } from '../../src/setup/make-recipe.ts';

const BASE = {
  name: 'texts',
  dataset: { type: 'csv', train: 'a.csv', text: { column: 'text' } },
  student: { model: 'embedding-bag' },
};

const text = (change: object): object => ({ dataset: { ...BASE.dataset, text: { column: 'text', ...change } } });
const data = (change: object): object => ({ dataset: { ...BASE.dataset, ...change } });

it('makes the file of a tokenizer absolute, of the data and of the teacher, and no other name', () => {
  const teacher = { onnx: 't.onnx', text: { tokenizer: 't/tokenizer.json' } };
  const made = makeRecipe({ ...BASE, ...text({ tokenizer: 'tokenizer.json' }), teacher }, '/r').recipe;
  expect(made.dataset).toMatchObject({ text: { tokenizer: '/r/tokenizer.json' } });
  expect(made.teacher!.text!.tokenizer).toBe('/r/t/tokenizer.json');
  const plain = makeRecipe({ ...BASE, ...text({ tokenizer: 'hashed' }) }, '/r').recipe;
  expect(plain.dataset).toMatchObject({ text: { tokenizer: 'hashed' } });
});

it.each<[string, object, RegExp]>([
  ['numbers made ready', data({ normalize: 'standard' }), /dataset\.normalize: expected no such key beside text/],
  ['pictures changed', data({ augment: [{ shift: 1 }] }), /dataset\.augment: expected none for texts/],
  ['a shape', data({ shape: [8, 8] }), /dataset\.shape/],
  ['buckets of a tokenizer without', text({ buckets: 64 }), /buckets: expected no such key beside the tokenizer bytes/],
  ['three texts', text({ column: ['a', 'b', 'c'] }), /text\.column/],
  [
    'a text of a teacher that is trained',
    { teacher: { train: { model: 'text-transformer' }, text: { length: 8 } } },
    /teacher\.text/,
  ],
  [
    'a text of a teacher of numbers',
    { ...data({ text: undefined }), teacher: { onnx: 't.onnx', text: { length: 8 } } },
    /teacher\.text/,
  ],
  [
    'a normalization of a teacher',
    { teacher: { onnx: 't.onnx', normalize: { mean: 0, std: 1 } } },
    /teacher\.normalize/,
  ],
])('refuses %s', (_, change, message) => {
  expect(() => makeRecipe({ ...BASE, ...change }, '/r')).toThrow(message);
});
