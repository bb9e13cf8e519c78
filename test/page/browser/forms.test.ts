import { cosinesBetween, mostAlike } from '../../../src/page/browser/try/alike.ts';
import { givenText, shownForm } from '../../../src/page/browser/forms.ts';
import type { Predicted } from '../../../src/page/browser/forms.ts';

const [shape, chosen] = [[4], { index: 1, probability: 0.75 }];

it('a class without a name gets that of the model whose preparation was borrowed, and so do the next ones', () => {
  const { hasTop, names, shown } = shownForm({ shape, logits: true });
  const predicted = { ...chosen, top: [chosen, { index: 0, probability: 0.25 }] } as unknown as Predicted;
  const [first, second] = [
    { ...chosen, label: 'b' },
    { index: 0, probability: 0.25, label: 'a' },
  ];
  expect([hasTop, names]).toEqual([true, undefined]);
  expect(shown(predicted, ['a', 'b'])).toEqual({ kind: 'classes', prediction: { ...first, top: [first, second] } });
  expect(shown(predicted, undefined)).toEqual({ kind: 'classes', prediction: predicted });
});

it.each([
  [false, [{ index: 0, label: 'age', score: 41.234567 }], 'age: 41.235'],
  [
    true,
    [
      { index: 0, label: 'red', probability: 0.1234 },
      { index: 1, probability: 1 },
    ],
    'red: 12.3 %\n1: 100.0 %',
  ],
])('numbers and labels are all shown, one on each line: logits %s', (logits, values, text) => {
  const { hasTop, called, shown } = shownForm({ shape, targets: ['x'], logits });
  expect([hasTop, called]).toEqual([false, 'values']);
  expect(shown({ values } as unknown as Predicted, undefined)).toEqual({ kind: 'text', text });
});

it('words are shown with their tags, apart from models of other texts', () => {
  const { title, called, names, shown } = shownForm({ shape, tags: ['O', 'B-X'], logits: true });
  expect([title, called, names]).toEqual(['texts to tag', 'tags', ['O', 'B-X']]);
  const tagged = { words: [{ word: 'Oslo', label: 'B-X' }] } as unknown as Predicted;
  expect(shown(tagged, undefined)).toEqual({ kind: 'tags', tagged });
});

it('a mask is shown over the picture that was asked about', () => {
  const { shown } = shownForm({ mask: ['sky', 'road'], logits: true, shape: [2, 2, 3] });
  const masked = { height: 2, width: 2, runs: [0, 3, 1, 1], segments: [] };
  const picture = { width: 4, height: 4 } as unknown as Parameters<typeof shown>[2];
  expect(shown(masked as unknown as Predicted, undefined, picture)).toEqual({ kind: 'mask', masked, picture });
});

it('boxes are shown over the picture that was asked about', () => {
  const { shown } = shownForm({ boxes: ['cat'], logits: true, shape: [2, 2, 3] });
  const boxed = { height: 2, width: 2, threshold: 0.3, boxes: [] };
  const picture = { width: 4, height: 4 } as unknown as Parameters<typeof shown>[2];
  expect(shown(boxed as unknown as Predicted, undefined, picture)).toEqual({ kind: 'boxes', boxed, picture });
});

it('samples are as alike as the cosine of their vectors is large, whatever their lengths', () => {
  const cosines = cosinesBetween([[3, 0], [0, 2], [1, 1], [0, 0]]); // prettier-ignore
  const half = expect.closeTo(Math.SQRT1_2, 6) as number;
  expect(cosines).toEqual([[1, 0, half, 0], [0, 1, half, 0], [half, half, expect.closeTo(1, 6), 0], [0, 0, 0, 0]]); // prettier-ignore
  const samples = ['a', 'b', 'c', 'd'].map((label) => ({ label }));
  expect(mostAlike({ samples, cosines })).toBe('Most alike: a and c, 0.71.');
  expect(mostAlike({ samples: samples.slice(0, 1), cosines: [[1]] })).toBeUndefined();
});

it('vectors and masks are called by their names, not logits', () => {
  const tensor = 'logits FP32 [any × 64]';
  expect(givenText({ shape, vector: true, logits: false }, tensor)).toBe(
    `a vector to search with; in the file ${tensor}`,
  );
  expect(givenText({ shape, mask: ['sky', 'road'], logits: true }, tensor)).toBe(
    `a score of each class for each pixel; in the file ${tensor}`,
  );
  expect([givenText({ shape, logits: true }, tensor), givenText(undefined, tensor)]).toEqual([tensor, tensor]);
});
