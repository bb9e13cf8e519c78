import type { Dataset } from '../../src/data/dataset.ts';
import { checkStudentFile } from '../../src/setup/student-file.ts';

const of = (entries: Readonly<Record<string, unknown>>) =>
  new Map(Object.entries(entries).map(([key, value]) => [key, JSON.stringify(value)]));
const normalization = { scale: 1 / 255, mean: [0.5], std: [0.25] };
const train = { task: 'classification', classNames: ['cat', 'dog', 'owl'], sampleShape: [4, 4, 1], normalization };
const notes = (metadata: ReadonlyMap<string, string>, data: object = {}, recipe: object = {}) =>
  checkStudentFile('s.onnx', { metadata, graph: { nodes: [], inputs: [], initializers: [] } } as never, { ...train, ...data } as unknown as Dataset, { student: { head: 'keep' }, ...recipe } as never); // prettier-ignore

it('a student that answers in another order than the data is refused, unless its head is replaced', () => {
  const metadata = of({ labels: ['owl', 'cat', 'dog'] });
  expect(() => notes(metadata)).toThrow(
    /^s\.onnx: answers for owl, cat, dog in this order, and the data set has cat, dog, owl$/,
  );
  expect(notes(metadata, {}, { student: { head: 'replace' } })).toEqual([]);
  expect(notes(metadata, { classNames: ['owl', 'cat', 'dog'] })).toEqual([]);
  expect(notes(of({ labels: ['0', '1', '2'] }))).toEqual([]);
  const numbers = { task: 'regression', classNames: ['width', 'height'] };
  expect(() => notes(of({ targets: ['height', 'width'] }), numbers)).toThrow(/answers for height, width in this order/);
});

it('a student that was made for other samples is refused', () => {
  const text = { tokenizer: 'hashed', buckets: 64, ngrams: 2, texts: 1, length: 8, truncate: 'end', vocabulary: 66, padding: 0 }; // prettier-ignore
  expect(() => notes(of({ text }), { text: { ...text, ngrams: 1 } })).toThrow(/was made for text\.ngrams 2/);
  expect(() => notes(of({ sound: { rate: 16000 } }), { rate: 8000 })).toThrow(/sounds of 16000 values a second/);
  expect(() => notes(of({ columns: [{ name: 'a' }] }), { columns: [{ name: 'b' }] })).toThrow(
    /its column 1 is a, that of the data b/,
  );
});

it('a student whose numbers were prepared in another way begins with a note', () => {
  const prepared = (scale: number, mean: number[], std: number[]) =>
    of({ preprocessing: { shape: [4, 4, 1], scale, mean, std } });
  expect(notes(prepared(1 / 255, [0.5], [0.25]))).toEqual([]);
  expect(notes(prepared(1, [127.5], [63.75]))).toEqual([]);
  expect(notes(prepared(1 / 255, [0], [1]))).toEqual([
    expect.stringMatching(/^s\.onnx was trained on differently prepared numbers .* `dataset\.normalize: \{"scale":/),
  ]);
  const many = Array.from({ length: 3000 }, (_, i) => i);
  const wide = { sampleShape: [3000], normalization: { scale: 1, mean: many, std: many.map(() => 1) } };
  const [note] = notes(prepared(1, many.map((i) => i + 1), [1]), wide); // prettier-ignore
  expect(note).toMatch(
    /set `dataset\.normalize` to the 3000 means and deviations that `limbeck inspect` prints of it$/,
  );
  expect(notes(prepared(1 / 255, [0], [1]), {}, { teacher: { normalize: normalization } })).toEqual([]);
});
