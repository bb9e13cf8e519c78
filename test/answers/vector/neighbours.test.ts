import { unitVectors } from '../../../src/base/math/vectors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { eachQuery, nearestOf } from '../../../src/answers/vector/neighbours.ts';

const random = new RandomStream('neighbours');
const drawn = (count: number, width: number): Float32Array =>
  Float32Array.from({ length: count * width }, () => random.normal());

it('makes vectors of length 1 of prefixes, and leaves zeros as they are', () => {
  expect([...unitVectors({ values: Float32Array.of(3, 4, 9, 0, 0, 5), width: 3 }, 2).values]).toEqual([
    ...[Math.fround(0.6), Math.fround(0.8), 0, 0],
  ]);
});

it.each([1, 3, 64, 67, 131])(
  'gives the products of each of %d queries with all vectors, its own as -Infinity',
  (count) => {
    const width = 5;
    const values = drawn(count, width);
    const seen: number[] = [];
    eachQuery({ values, width }, (query, products) => {
      seen.push(query);
      expect(products).toHaveLength(count);
      products.forEach((product, row) => {
        const row1 = values.subarray(query * width, (query + 1) * width);
        const exact = row1.reduce((sum, value, i) => sum + value * values[row * width + i]!, 0);
        if (row === query) expect(product).toBe(-Infinity);
        else expect(product).toBeCloseTo(exact, 4);
      });
    });
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
  },
);

it('asks about some rows alone', () => {
  const seen: number[] = [];
  eachQuery({ values: drawn(90, 2), width: 2 }, (query) => seen.push(query), [80, 3, 0]);
  expect(seen).toEqual([80, 3, 0]);
});

it('asks about other vectors, whose products with all are finite', () => {
  const [values, asking] = [drawn(20, 3), drawn(70, 3)];
  const seen: number[] = [];
  const visit = (query: number, products: Float32Array): void => {
    seen.push(query);
    products.forEach((product, row) => {
      const exact = [0, 1, 2].reduce((sum, i) => sum + asking[3 * query + i]! * values[3 * row + i]!, 0);
      expect(product).toBeCloseTo(exact, 5);
    });
  };
  eachQuery({ values, width: 3 }, visit, undefined, { values: asking, width: 3 });
  expect(seen).toEqual(Array.from({ length: 70 }, (_, i) => i));
});

it('finds the nearest, the first of equal ones', () => {
  const products = Float32Array.of(0.1, 0.9, -Infinity, 0.9, 0.5, 0.9);
  expect(nearestOf(products)).toBe(1);
});
