import type { RawSplit } from '../../../src/data/dataset.ts';
import { NO_CLASS, vectors } from '../../../src/answers/vector/labels.ts';

const vector = { size: 4, prefixes: [] };
const raw = { source: 'x', labels: { kind: 'index', values: Int32Array.of(1, 0, 1) } } as unknown as RawSplit;

it('are the classes of samples as numbers', () => {
  const names = vectors.names(raw, {});
  expect(names).toEqual(['0', '1']);
  expect(vectors.values(raw, names, {})).toEqual(Float32Array.of(1, 0, 1));
  expect(vectors.width(names, { sampleShape: [1], vector })).toBe(1);
  expect([...vectors.strata(Float32Array.of(1, 0, 1), 1)]).toEqual([1, 0, 1]);
  expect([...vectors.unlabelled!(1)]).toEqual([NO_CLASS]);
});

it('are vectors where no sample has a label', () => {
  expect(vectors.unlabelledNames({}, undefined, raw)).toEqual([]);
  expect(vectors.width([], { sampleShape: [1], vector })).toBe(4);
  expect([...vectors.strata(new Float32Array(12), 4)]).toEqual([0, 0, 0]);
  expect(vectors.oddities('train', new Float32Array(12), [], 4, 'd')).toEqual([]);
});
