import { ranksOf, spearman } from '../../../src/base/math/ranks.ts';

it('gives equal values the mean of their ranks', () => {
  expect(Array.from(ranksOf([0.3, 1, 2, 2, -4]))).toEqual([2, 3, 4.5, 4.5, 1]);
});

it('correlates ranks as SciPy does', () => {
  expect(spearman([0.3, 1, 2, 2, -4, 5, 7], [3, 1, 2, 5, 5, 5, 0.5])).toBeCloseTo(-0.3178819766028754, 12);
  expect(spearman([1, 2, 9], [3, 4, 400])).toBe(1);
  expect(spearman([1, 2, 9], [3, 2, 1])).toBe(-1);
});

it('has no correlation with values that are all equal', () => {
  expect(spearman([1, 1, 1], [1, 2, 3])).toBeUndefined();
});
