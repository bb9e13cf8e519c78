import { principalComponents } from '../../../src/base/math/pca.ts';

it('keeps the directions in which rows differ most, the largest value of each positive', () => {
  // Along (3, 4) / 5 they lie at -5, 0 and 10, across it at 1, -2 and 1.
  const [along, across] = [
    [3 / 5, 4 / 5],
    [-4 / 5, 3 / 5],
  ] as const;
  const places = [
    [-5, 1],
    [0, -2],
    [10, 1],
  ] as const;
  const shift = [7, -2];
  const rows = Float32Array.from(
    places.flatMap(([a, b]) => [0, 1].map((i) => shift[i]! + a * along[i]! + b * across[i]!)),
  );
  // The means along and across are 5/3 and 0, but the two are correlated: sums of products (-5 · 1 + 10 · 1) tilt the axes a little.
  const both = principalComponents(rows, 2, 2);
  expect(both.kept).toBeCloseTo(1, 6);
  const [first, second] = [0, 1].map((column) => [0, 1, 2].map((row) => both.rows[2 * row + column]!));
  const product = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  expect(product(first!, second!)).toBeCloseTo(0, 3);
  // All of the variance: 25/9 + … of the centred places.
  const centred = places.flatMap(([a, b]) => [a - 5 / 3, b]);
  expect(product(first!, first!) + product(second!, second!)).toBeCloseTo(product(centred, centred), 3);
  expect(product(first!, first!)).toBeGreaterThan(product(second!, second!));
  expect(Math.max(...first!)).toBe(Math.max(...first!.map(Math.abs)));
  const one = principalComponents(rows, 2, 1);
  expect(Array.from(one.rows)).toEqual(first);
  expect(one.kept).toBeCloseTo(product(first!, first!) / product(centred, centred), 5);
});
