import { pooledVectors } from '../../../../src/distill/teachers/inputs/pooled.ts';

const values = (shape: readonly number[]) => ({
  data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => i),
  shape,
});
const what = 'm: its output o';

it('leaves vectors as they are', () => {
  expect(pooledVectors(values([2, 3]), { what })).toEqual(values([2, 3]));
});

it('is the mean over the tokens of a text, or the first token', () => {
  const tokens = values([2, 3, 2]);
  expect([...pooledVectors(tokens, { pooling: 'mean', what }).data]).toEqual([2, 3, 8, 9]);
  expect([...pooledVectors(tokens, { pooling: 'mean', mask: [1, 1, 0, 1, 0, 0], what }).data]).toEqual([1, 2, 6, 7]);
  expect([...pooledVectors(tokens, { pooling: 'cls', what }).data]).toEqual([0, 1, 6, 7]);
});

it('is the mean over the places of a picture, in each layout', () => {
  expect(pooledVectors(values([1, 2, 2, 2]), { pooling: 'mean', layout: 'nhwc', what })).toEqual({
    ...{ data: Float32Array.of(3, 4), shape: [1, 2] },
  });
  expect([...pooledVectors(values([1, 2, 2, 2]), { pooling: 'mean', layout: 'nchw', what }).data]).toEqual([1.5, 5.5]);
});

it.each([
  [
    [2, 3],
    'cls',
    'teacher.pooling: cls: m: its output o is [2, 3], a vector of each sample, of which nothing is pooled',
  ],
  [[1, 2, 2, 2], 'cls', 'm: its output o is [1, 2, 2, 2], expected [batch, width], [batch, tokens, width]'],
  [[1, 2, 2, 2, 2], 'mean', 'expected [batch, width], [batch, tokens, width] or a feature map'],
] as const)('refuses %j with %s', (shape, pooling, message) => {
  expect(() => pooledVectors(values(shape), { pooling, what })).toThrow(message);
});
