import { largestSeveral } from '../../src/base/largest.ts';
import { RandomStream } from '../../src/base/random.ts';

const random = new RandomStream('largest', '');

it('finds the largest, the first of equal ones', () => {
  const products = Float32Array.of(0.1, 0.9, -Infinity, 0.9, 0.5, 0.9);
  expect([...largestSeveral(products, 2)]).toEqual([1, 3]);
  expect([...largestSeveral(products, 5)]).toEqual([1, 3, 5, 4, 0]);
  expect([...largestSeveral(products, 9)]).toEqual([1, 3, 5, 4, 0, 2]);
});

it('orders negative numbers, and takes both zeros for equal', () => {
  const values = Float32Array.of(-0, -1e-40, 0, -3, 1e-40, -Infinity, 3e38, -2);
  expect([...largestSeveral(values, 8)]).toEqual([6, 4, 0, 2, 1, 7, 3, 5]);
});

it('orders any numbers as a whole sort does', () => {
  for (let n = 1; n < 40; n++) {
    const products = Float32Array.from({ length: n }, () => Math.round(4 * random.normal()));
    const sorted = Array.from(products.keys()).sort((a, b) => products[b]! - products[a]! || a - b);
    for (const wanted of [1, 2, n >> 1, n])
      expect([...largestSeveral(products, wanted)]).toEqual(sorted.slice(0, wanted));
  }
});
