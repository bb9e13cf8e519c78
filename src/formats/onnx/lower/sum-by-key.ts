import type { Dim } from '../../../graph/types.ts';
import type { Lowering } from './context.ts';

/** Number of rounds for an unknown batch size: enough for 2^31 rows. */
const ROUNDS_OF_ANY_BATCH = 31;

export interface KeySums {
  /** The operand with the sum of all rows of a key in its first row. [count, ...] */
  readonly rows: string;
  /** Indexes of these first rows, by ascending key. int64, [distinct keys] */
  readonly firsts: string;
}

/**
 * Sums rows with equal keys, in an order of additions determined by the keys: the same bytes on any number of threads and any provider. No position
 * is written twice: ONNX' own way, a scatter that adds, loses updates in ONNX Runtime when two threads add to one row
 * (https://github.com/microsoft/onnxruntime/issues/18048).
 *
 * The rows of a key are numbered 0, 1, 2, ... In round r = 0, 1, ... row 2^r is added to row 0, row 3·2^r to row 2·2^r, row
 * 5·2^r to row 4·2^r and so on: each row takes part at most once, and after log2(count) rounds row 0 is the sum of all.
 *
 * @param rows numbers, [count, ...], at least one row
 * @param keys int64 from 0 up, [count]
 */
export function sumByKey(c: Lowering, rows: string, keys: string, count: Dim): KeySums {
  const int = (value: number): string => c.scalar('int64', value);
  const size = c.count([count], 'int64');
  const places = c.one('Range', [int(0), size, int(1)]);
  // Including the position makes keys distinct, so that a provider's order of equal keys does not matter.
  const distinct = c.one('Add', [c.one('Mul', [keys, size]), places]);
  const [sorted] = c.emit('TopK', [distinct, c.shapeVector([count])], { axis: 0, largest: 0, sorted: 1 }, 2);
  const [key, row] = [c.one('Div', [sorted!, size]), c.one('Mod', [sorted!, size])];
  const others = c.one('Slice', [key, c.ints([0]), c.ints([-1]), c.ints([0])]);
  const before = c.one('Concat', [c.ints([-1]), others], { axis: 0 });
  const isFirst = c.one('Not', [c.one('Equal', [key, before])]);
  const starts = positions(c, isFirst);
  const group = c.one('Sub', [c.one('CumSum', [c.cast(isFirst, 'int64'), int(0)]), int(1)]);
  const number = c.one('Sub', [places, pick(c, starts, group)]);
  const rounds = typeof count === 'number' ? Math.ceil(Math.log2(count)) : ROUNDS_OF_ANY_BATCH;
  let sums = rows;
  for (let round = 0; round < rounds; round++) {
    const apart = 2 ** round;
    const added = positions(c, c.one('Equal', [c.one('Mod', [number, int(2 * apart)]), int(apart)]));
    const to = pick(c, row, c.one('Sub', [added, int(apart)]));
    const sum = c.one('Add', [pick(c, sums, to), pick(c, sums, pick(c, row, added))]);
    sums = c.one('ScatterND', [sums, c.one('Unsqueeze', [to, c.ints([1])]), sum]);
  }
  return { rows: sums, firsts: pick(c, row, starts) };
}

/** Rows of `x` at the indexes in the 1-D tensor `at`. */
export function pick(c: Lowering, x: string, at: string): string {
  return c.one('Gather', [x, at], { axis: 0 });
}

/** Indexes at which a 1-D bool tensor is true. */
function positions(c: Lowering, flags: string): string {
  return c.one('Reshape', [c.one('NonZero', [flags]), c.ints([-1])]);
}
