import { bytesOf } from '../../../src/base/bytes.ts';
import { classified } from '../../../src/serve/v2/classification.ts';

const model = (labels?: readonly string[]) => ({ labels });
const output = (shape: number[], ...values: number[]) =>
  ({ name: 'y', dtype: 'float32', shape, bytes: bytesOf(Float32Array.from(values)) }) as const;

it('the largest values of each sample come first, of equal ones the first, with their labels', () => {
  const two = output([2, 3], 0.25, 0.5, 0.25, -1, -3, -2);
  expect(classified(model(['a', 'b', 'c']), two, 2)).toEqual({
    shape: [2, 2],
    values: ['0.500000:1:b', '0.250000:0:a', '-1.000000:0:a', '-2.000000:2:c'],
  });
  expect(classified(model(), output([1, 3], 1, 2, 3), 5)).toEqual({
    shape: [1, 3],
    values: ['3.000000:2', '2.000000:1', '1.000000:0'],
  });
  // Labels of another number of classes are not those of this output.
  expect(classified(model(['a', 'b']), output([1, 3], 1, 2, 3), 1).values).toEqual(['3.000000:2']);
});

it('an output without a row for each sample has no classes', () => {
  expect(() => classified(model(), output([3], 1, 2, 3), 1)).toThrow('output y cannot be asked for as classes');
});
