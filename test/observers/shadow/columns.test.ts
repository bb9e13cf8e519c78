import { translationOf } from '../../../src/observers/shadow/preparation.ts';
import { loadForm } from '../../../src/serve/v1/forms.ts';

beforeAll(() => loadForm({ logits: false }));

/** A model of two prepared numbers, whose file names their columns or not. */
function known(columns?: readonly { name: string; words?: readonly string[] }[]) {
  const input = { name: 'x', dtype: 'float32', shape: ['batch', 2] } as const;
  const facts = { inputs: [input], outputs: [], batching: { kind: 'any' }, cost: [], notes: [] } as const;
  const preprocessing = { shape: [2], scale: 1, mean: [0, 0], std: [1, 1] };
  const metadata = new Map([['preprocessing', JSON.stringify(preprocessing)]]);
  return { facts, metadata: columns === undefined ? metadata : metadata.set('columns', JSON.stringify(columns)) };
}

const numbers = known([{ name: 'a' }, { name: 'b' }]);
const words = known([{ name: 'a', words: ['x', 'y'] }]);

it('a shadow of numbers is a guess where one of the two does not say its columns', () => {
  const isGuess = (student: typeof numbers, teacher: typeof numbers) =>
    translationOf(student, teacher, 't.onnx').isGuess;
  expect(isGuess(numbers, numbers)).toBe(false);
  expect(isGuess(known(), known())).toBe(false);
  expect(isGuess(numbers, known())).toBe(true);
  expect(isGuess(known(), numbers)).toBe(true);
});

it('a shadow is refused where both say other columns, or the teacher alone has words', () => {
  const message = /^t\.onnx: its metadata say other things of columns than those of the model/;
  expect(() => translationOf(numbers, known([{ name: 'b' }, { name: 'a' }]), 't.onnx')).toThrow(message);
  expect(() => translationOf(known(), words, 't.onnx')).toThrow(message);
});
