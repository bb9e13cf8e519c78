import type { TensorData } from '../../graph/types.ts';

/** A typed array of the same kind with `length` elements. */
export function emptyLike<T extends TensorData>(data: T, length: number): T {
  return new (data.constructor as new (length: number) => T)(length);
}

/** A tensor with its axes in the order `perm`. */
export function permutedTensor(data: TensorData, shape: readonly number[], perm: readonly number[]): TensorData {
  if (perm.every((p, i) => p === i)) return data;
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const out = emptyLike(data, data.length);
  const index = new Array<number>(perm.length).fill(0);
  let from = 0;
  for (let i = 0; i < data.length; i++) {
    out[i] = data[from]!;
    for (let axis = perm.length - 1; axis >= 0; axis--) {
      const source = perm[axis]!;
      from += strides[source]!;
      if (++index[axis]! < shape[source]!) break;
      from -= strides[source]! * shape[source]!;
      index[axis] = 0;
    }
  }
  return out;
}
