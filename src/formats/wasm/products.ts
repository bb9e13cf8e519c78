import { get, I32_ADD, I32_CONST, LOAD, loopUntil, set, simd, vectorOf } from './instructions.ts';
import type { WasmFunction, WasmType } from './module.ts';

/** Rows that lie together in memory: the first element of each, then the second of each, and so on. */
export const ROWS_TOGETHER = 4;

/** Bytes of an element of all rows together, in float64. */
const STRIDE = 8 * ROWS_TOGETHER;
const ZERO = vectorOf(new Float32Array(4));
const [ADD, TIMES, TO_FLOATS] = [simd(0xf0), simd(0xf2), simd(0x5e)];
const loadAt = (offset: number): number[] => [...simd(0x00), 4, offset];
/** The float64 at this offset, twice. */
const twice = (offset: number): number[] => [...simd(0x0a), 3, offset];
/** Stores the first two float32 of a vector. */
const storeTwo = (offset: number): number[] => [...simd(0x5b), 2, offset, 0];

/**
 * Inner products of some rows, four together, with four others. Each is summed up in float64 in the order of the elements, so that its bits are those of
 * a plain loop. Parameters: the address of the rows, the address behind them, the address of the other four, the address behind them, the address of
 * the products with the first row, the bytes from there to the products with the next row.
 */
export function productsFunction(name: string): WasmFunction {
  const [row, end, others, othersEnd, out, outBytes] = [0, 1, 2, 3, 4, 5];
  const locals: WasmType[] = ['i32', 'v128', 'v128', ...new Array<WasmType>(2 * ROWS_TOGETHER).fill('v128')];
  const [at, left, right, sums] = [6, 7, 8, 9];
  const each = Array.from({ length: ROWS_TOGETHER }, (_, i) => i);
  const rise = (local: number, by: number): number[] => [...get(local), I32_CONST, by, I32_ADD, ...set(local)];
  const added = (sum: number, i: number, other: number): number[] => [
    ...get(sum),
    ...get(row),
    ...twice(8 * i),
    ...get(other),
    ...TIMES,
    ...ADD,
    ...set(sum),
  ];
  const element = [
    ...get(at),
    ...LOAD,
    ...set(left),
    ...get(at),
    ...loadAt(16),
    ...set(right),
    ...each.flatMap((i) => [...added(sums + 2 * i, i, left), ...added(sums + 2 * i + 1, i, right)]),
    ...rise(row, STRIDE),
    ...rise(at, STRIDE),
  ];
  const stored = each.flatMap((i) => [
    ...get(out),
    ...get(sums + 2 * i),
    ...TO_FLOATS,
    ...storeTwo(0),
    ...get(out),
    ...get(sums + 2 * i + 1),
    ...TO_FLOATS,
    ...storeTwo(8),
    ...get(out),
    ...get(outBytes),
    I32_ADD,
    ...set(out),
  ]);
  const cleared = each.flatMap((i) => [...ZERO, ...set(sums + 2 * i), ...ZERO, ...set(sums + 2 * i + 1)]);
  const body = loopUntil(row, end, [
    ...cleared,
    ...get(others),
    ...set(at),
    ...loopUntil(at, othersEnd, element),
    ...stored,
  ]);
  return { name, params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], locals, body };
}
