import { RandomStream } from '../../../src/base/random.ts';
import { productsOf, QUERIES_AT_ONCE } from '../../../src/answers/vector/products.ts';

const random = new RandomStream('products');

it.each([
  [1, 1, 1],
  [3, 5, 2],
  [64, 300, 7],
  [17, 515, 16],
  // More numbers in a vector than before, then fewer: the memory is made anew, then used again.
  [6, 9, 33],
  [5, 11, 3],
])('gives %d queries and %d rows of %d numbers the products of a plain loop, bit for bit', (rows, count, width) => {
  const values = Float32Array.from({ length: count * width }, () => random.normal());
  const queries = Array.from({ length: Math.min(rows, QUERIES_AT_ONCE) }, (_, i) => (7 * i + 3) % count);
  const out = new Float32Array(queries.length * count);
  productsOf(values, width, queries, out);
  const plain = queries.flatMap((query) =>
    Array.from({ length: count }, (_, row) => {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += values[query * width + k]! * values[row * width + k]!;
      return Math.fround(sum);
    }),
  );
  expect(out).toEqual(Float32Array.from(plain));
});
