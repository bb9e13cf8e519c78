import { wasmFunctions, wasmMemory } from '../../formats/wasm/memory.ts';
import { encodeModule } from '../../formats/wasm/module.ts';
import { productsFunction, ROWS_TOGETHER } from '../../formats/wasm/products.ts';

/** Queries in WebAssembly's memory at once. */
export const QUERIES_AT_ONCE = 64;
/** Rows that they are compared with at once: those of 64 numbers fit into the L2 cache. */
const ROWS = 256;

interface Space {
  readonly width: number;
  readonly queries: Float64Array;
  readonly rows: Float64Array;
  readonly products: Float32Array;
  readonly run: (...args: readonly number[]) => void;
}

let space: Space | undefined;

/**
 * Inner products of up to `QUERIES_AT_ONCE` rows, of `asking`, with all rows of [count, width], as [rows, count]: summed up in float64, with WebAssembly's vectors ten times as fast as
 * by a plain loop, and with the same bits.
 */
export function productsOf(
  values: Float32Array,
  width: number,
  rows: readonly number[],
  out: Float32Array,
  asking = values,
): void {
  if (space === undefined || space.width < width) space = spaceFor(width);
  const { queries, rows: others, products, run } = space;
  const count = values.length / width;
  placeTogether(asking, width, rows.length, (i) => rows[i]!, queries);
  const groupBytes = others.BYTES_PER_ELEMENT * ROWS_TOGETHER * width;
  const end = queries.byteOffset + groupBytes * Math.ceil(rows.length / ROWS_TOGETHER);
  for (let first = 0; first < count; first += ROWS) {
    const some = Math.min(ROWS, count - first);
    placeTogether(values, width, some, (i) => first + i, others);
    for (let row = 0; row < some; row += ROWS_TOGETHER) {
      const at = others.byteOffset + (row / ROWS_TOGETHER) * groupBytes;
      run(queries.byteOffset, end, at, at + groupBytes, products.byteOffset + 4 * row, 4 * ROWS);
    }
    for (let i = 0; i < rows.length; i++) out.set(products.subarray(i * ROWS, i * ROWS + some), i * count + first);
  }
}

function placeTogether(
  values: Float32Array,
  width: number,
  count: number,
  rowOf: (at: number) => number,
  into: Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const from = rowOf(i) * width;
    const to = (i - (i % ROWS_TOGETHER)) * width + (i % ROWS_TOGETHER);
    for (let k = 0; k < width; k++) into[to + k * ROWS_TOGETHER] = values[from + k]!;
  }
}

function spaceFor(width: number): Space {
  const [queries, rows] = [8 * QUERIES_AT_ONCE * width, 8 * ROWS * width];
  const memory = wasmMemory(queries + rows + 4 * QUERIES_AT_ONCE * ROWS);
  if (memory === undefined) throw new Error(`WebAssembly has no memory for vectors of ${width} numbers`);
  const { products } = wasmFunctions(encodeModule([productsFunction('products')]), memory);
  return {
    width,
    queries: new Float64Array(memory.buffer, 0, QUERIES_AT_ONCE * width),
    rows: new Float64Array(memory.buffer, queries, ROWS * width),
    products: new Float32Array(memory.buffer, queries + rows, QUERIES_AT_ONCE * ROWS),
    run: products!,
  };
}
