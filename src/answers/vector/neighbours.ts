import { vectorCount } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';
import { productsOf, QUERIES_AT_ONCE } from './products.ts';

/**
 * Exact search: calls `visit` with the inner products of each query with all vectors, [count], in an array that the next call overwrites. `asking`:
 * vectors of the queries; by default the same, and the query's own product is -Infinity. `rowsAsked`: their rows, by default all.
 */
export function eachQuery(
  vectors: Vectors,
  visit: (query: number, products: Float32Array) => void,
  rowsAsked?: ArrayLike<number>,
  asking = vectors,
): void {
  const { values, width } = vectors;
  const count = vectorCount(vectors);
  const queries = rowsAsked ?? { length: vectorCount(asking) };
  const products = new Float32Array(QUERIES_AT_ONCE * count);
  for (let first = 0; first < queries.length; first += QUERIES_AT_ONCE) {
    const rows = Array.from(
      { length: Math.min(QUERIES_AT_ONCE, queries.length - first) },
      (_, i) => queries[first + i] ?? first + i,
    );
    productsOf(values, width, rows, products, asking.values);
    for (const [i, row] of rows.entries()) {
      const own = products.subarray(i * count, (i + 1) * count);
      if (asking === vectors) own[row] = -Infinity;
      visit(row, own);
    }
  }
}

/** Index of the largest product, the first of equal ones. */
export function nearestOf(products: Float32Array): number {
  let best = 0;
  for (let i = 1; i < products.length; i++) if (products[i]! > products[best]!) best = i;
  return best;
}
