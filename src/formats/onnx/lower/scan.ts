import type { DType, Node, Shape } from '../../../graph/types.ts';
import type { Lowering } from './context.ts';

/** Drops `count` elements at one end of an axis and inserts as many ones at the other. */
function shift(
  c: Lowering,
  x: string,
  rank: number,
  axis: number,
  count: number,
  dtype: DType,
  reverse: boolean,
): string {
  const [start, end] = reverse ? [count, Infinity] : [0, -count];
  const kept = c.one('Slice', [x, c.ints([start]), c.ints([end]), c.ints([axis])]);
  const pads = new Array<number>(2 * rank).fill(0);
  pads[reverse ? rank + axis : axis] = count;
  return c.one('Pad', [kept, c.ints(pads), c.scalar(dtype, 1)], { mode: 'constant' });
}

/** Cumulative product, which ONNX lacks: log2(n) steps, each multiplying by the elements 1, 2, 4, ... positions before (Hillis & Steele 1986). */
export function cumulativeProduct(
  c: Lowering,
  node: Node,
  x: string,
  shape: Shape,
  axis: number,
  dtype: DType,
  exclusive: boolean,
  reverse: boolean,
): string {
  const size = shape[axis];
  if (typeof size !== 'number')
    return c.fail(node, 'its axis is the batch axis', 'Take the product along another axis, or sum logarithms.');
  let result = exclusive ? (size === 0 ? x : shift(c, x, shape.length, axis, 1, dtype, reverse)) : x;
  for (let by = 1; by < size; by *= 2)
    result = c.one('Mul', [result, shift(c, result, shape.length, axis, by, dtype, reverse)]);
  return result;
}
