import type { Dim, Shape } from './types.ts';

/** Factor of the batch size in a dimension; 0 for a fixed dimension. */
export function batchFactor(dim: Dim): number {
  if (typeof dim === 'number') return 0;
  return dim === 'batch' ? 1 : Number(dim.slice(0, -'*batch'.length));
}

export function batchTimes(factor: number): Dim {
  return factor === 1 ? 'batch' : `${factor}*batch`;
}

/** Number of elements as `factor · batch^power`. */
export function symbolicSize(shape: Shape): { factor: number; power: number } {
  let factor = 1;
  let power = 0;
  for (const dim of shape) {
    const times = batchFactor(dim);
    if (times > 0) power++;
    factor *= times > 0 ? times : (dim as number);
  }
  return { factor, power };
}

/** Number of elements of a static shape. */
export function staticSize(shape: Shape): number {
  const { factor, power } = symbolicSize(shape);
  if (power > 0) throw new Error(`the shape [${shape.join(', ')}] has a symbolic dimension`);
  return factor;
}

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}

/** The shape, which must be static, such as a filter's. */
export function staticShape(shape: Shape, what: string): readonly number[] {
  if (!isStatic(shape)) throw new Error(`${what} must have a fixed shape, received [${shape.join(', ')}]`);
  return shape;
}

/** The shape for a batch of `batch`. */
export function withBatch(shape: Shape, batch: number): number[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : batchFactor(dim) * batch));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** NumPy broadcasting: aligned at the last axis; sizes must agree or be 1. */
export function broadcast(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
  });
}
