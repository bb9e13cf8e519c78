import { unchangedTexts } from '../../src/base/skipped.ts';

it('names each layer once, however many parts of it stay unchanged', () => {
  const parts = Array.from({ length: 64 }, (_, i) => ({ what: 'convt', why: `the range of part ${i} is not known` }));
  const other = { what: 'dense', why: 'it is kept in float' };
  expect(unchangedTexts([...parts, other, other])).toEqual([
    'convt stays as it was: the range of part 0 is not known, and 63 more of its parts for such reasons',
    'dense stays as it was: it is kept in float',
  ]);
});
