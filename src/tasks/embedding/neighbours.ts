/** Vectors, one after another, [count, width]. */
export interface Vectors {
  readonly values: Float32Array;
  readonly width: number;
}

/** Queries whose likenesses to all samples are in memory at once. */
const BLOCK = 64;

/** Rows of length 1; a row of zeros stays as it is. Only the first `size` elements of each row are read. */
export function unitVectors({ values, width }: Vectors, size = width): Vectors {
  const count = values.length / width;
  const out = new Float32Array(count * size);
  for (let row = 0; row < count; row++) {
    let square = 0;
    for (let i = 0; i < size; i++) square += values[row * width + i]! ** 2;
    const scale = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (let i = 0; i < size; i++) out[row * size + i] = values[row * width + i]! * scale;
  }
  return { values: out, width: size };
}

/**
 * Exact search: calls `visit` with the inner products of each query with all vectors, [count], in an array that the next call overwrites. The query's
 * own product is -Infinity. `queries`: rows, by default all.
 */
export function eachQuery(
  vectors: Vectors,
  visit: (query: number, products: Float32Array) => void,
  queries: ArrayLike<number> = { length: vectorCount(vectors) },
): void {
  const { values, width } = vectors;
  const count = vectorCount(vectors);
  const products = new Float32Array(BLOCK * count);
  for (let first = 0; first < queries.length; first += BLOCK) {
    const rows = Array.from(
      { length: Math.min(BLOCK, queries.length - first) },
      (_, i) => queries[first + i] ?? first + i,
    );
    productsOf(values, width, rows, products);
    for (const [i, row] of rows.entries()) {
      const own = products.subarray(i * count, (i + 1) * count);
      own[row] = -Infinity;
      visit(row, own);
    }
  }
}

export function vectorCount({ values, width }: Vectors): number {
  return values.length / width;
}

/** Inner products of some rows with all rows, [rows, count]: four rows at once, so that each element is read once for four products. */
function productsOf(values: Float32Array, width: number, rows: readonly number[], out: Float32Array): void {
  const count = values.length / width;
  for (let i = 0; i < rows.length; i += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((more) => (rows[i + more] ?? rows[i]!) * width) as [
      number,
      number,
      number,
      number,
    ];
    for (let row = 0; row < count; row++) {
      let [p, q, r, s] = [0, 0, 0, 0];
      const at = row * width;
      for (let k = 0; k < width; k++) {
        const value = values[at + k]!;
        p += value * values[a + k]!;
        q += value * values[b + k]!;
        r += value * values[c + k]!;
        s += value * values[d + k]!;
      }
      out[i * count + row] = p;
      if (i + 1 < rows.length) out[(i + 1) * count + row] = q;
      if (i + 2 < rows.length) out[(i + 2) * count + row] = r;
      if (i + 3 < rows.length) out[(i + 3) * count + row] = s;
    }
  }
}

/** Index of the largest product, the first of equal ones. */
export function nearestOf(products: Float32Array): number {
  let best = 0;
  for (let i = 1; i < products.length; i++) if (products[i]! > products[best]!) best = i;
  return best;
}
