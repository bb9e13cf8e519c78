import { fakes } from '../../support/fake-page.ts';
import { addForms, givenText, shownForm, shownValues } from '../../../src/page/browser/forms.ts';

const shape = [4];
const plain = { called: 'plain', shown: () => ({ elements: () => [] }) };
addForms([
  plain,
  { ...plain, called: 'numbers', told: { key: 'targets', logits: false } },
  { ...plain, called: 'labels', told: { key: 'targets', logits: true }, gives: 'a score of each label' },
  { ...plain, called: 'vector', told: { key: 'vector' } },
]);
const of = (stated: object): readonly unknown[] => {
  const { called, names } = shownForm({ shape, logits: true, ...stated });
  return [called, names];
};

it('the form of answers is told by the key of their names and by logits', () => {
  expect(of({})).toEqual(['plain', undefined]);
  expect(of({ labels: ['a'] })).toEqual(['plain', ['a']]);
  expect(of({ targets: ['x'], logits: false })).toEqual(['numbers', ['x']]);
  // A file may name classes too, for readers that know no other form.
  expect(of({ labels: ['a'], targets: ['x'] })).toEqual(['labels', ['x']]);
  expect(of({ vector: true })).toEqual(['vector', undefined]);
});

it('outputs that are no logits of the sample are called by what they hold', () => {
  const tensor = 'logits FP32 [any × 64]';
  const labels = { shape, targets: ['x'], logits: true };
  expect(givenText(labels, tensor)).toBe(`a score of each label; in the file ${tensor}`);
  expect([givenText({ shape, logits: true }, tensor), givenText(undefined, tensor)]).toEqual([tensor, tensor]);
});

it.each([
  [[{ index: 0, label: 'age', score: 41.234567 }], 'age: 41.235'],
  [
    [
      { index: 0, label: 'red', probability: 0.1234 },
      { index: 1, probability: 1 },
    ],
    'red: 12.3 %\n1: 100.0 %',
  ],
])('numbers and labels are all shown, one on each line: %j', (values, text) => {
  expect(fakes(shownValues.shown({ values }).elements(0))[0]!.text).toBe(text);
});
