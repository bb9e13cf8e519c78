import type { TensorData } from '../graph/types.ts';

interface Values<T extends TensorData | Float64Array> {
  readonly data: T;
  readonly shape: readonly number[];
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** `count` places along an axis, from `from` on; places before the first one are zeros. */
export function cutAlong<T extends TensorData | Float64Array>(
  { data, shape }: Values<T>,
  axis: number,
  from: number,
  count: number,
): { data: T; shape: number[] } {
  const [outer, inner] = [product(shape.slice(0, axis)), product(shape.slice(axis + 1))];
  const held = shape[axis]!;
  const found = emptyLike(data, outer * count * inner);
  const missing = Math.max(0, -from);
  for (let i = 0; i < outer; i++) {
    const part = data.subarray((i * held + from + missing) * inner, (i * held + from + count) * inner);
    found.set(part as never, (i * count + missing) * inner);
  }
  return { data: found, shape: shape.map((size, i) => (i === axis ? count : size)) };
}

/** Values one after another along an axis. */
export function joinAlong<T extends TensorData | Float64Array>(
  parts: readonly Values<T>[],
  axis: number,
): { data: T; shape: number[] } {
  const [{ data, shape }] = parts as [Values<T>];
  const count = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  const [outer, inner] = [product(shape.slice(0, axis)), product(shape.slice(axis + 1))];
  const found = emptyLike(data, outer * count * inner);
  let at = 0;
  for (const part of parts) {
    const each = part.shape[axis]! * inner;
    for (let i = 0; i < outer; i++)
      found.set(part.data.subarray(i * each, (i + 1) * each) as never, i * count * inner + at);
    at += each;
  }
  return { data: found, shape: shape.map((size, i) => (i === axis ? count : size)) };
}

function emptyLike<T extends TensorData | Float64Array>(data: T, length: number): T {
  return new (data.constructor as new (length: number) => T)(length);
}
