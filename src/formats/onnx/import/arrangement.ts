import type { TensorData } from '../../../graph/types.ts';
import { transposeData } from '../lower/layout.ts';

/** How to read a stored tensor: reshape to `from`, permute its axes by `perm`, and reshape to `shape`. */
export interface Arrangement {
  readonly from: readonly number[];
  readonly perm: readonly number[];
  readonly shape: readonly number[];
}

export function arranged(data: TensorData, { from, perm }: Arrangement): Float32Array {
  return transposeData(data, from, perm) as Float32Array;
}

/** The identity for a tensor of this shape. */
export function plainOf(shape: readonly number[]): Arrangement {
  return { from: shape, perm: shape.map((_, i) => i), shape };
}

/** Inverse of an arrangement. */
export function backwards({ from, perm }: Arrangement): Arrangement {
  return { from: perm.map((axis) => from[axis]!), perm: perm.map((_, i) => perm.indexOf(i)), shape: from };
}

/** Key that is equal for arrangements with the same effect. */
export function keyOf({ from, perm, shape }: Arrangement): string {
  const moving = perm.filter((axis) => from[axis] !== 1);
  const moves = moving.some((axis, i) => i > 0 && axis < moving[i - 1]!);
  return `${moves ? `${from.filter((size) => size !== 1).join()} ${ranks(moving).join()}` : ''} [${shape.join()}]`;
}

function ranks(axes: readonly number[]): number[] {
  const sorted = [...axes].sort((a, b) => a - b);
  return axes.map((axis) => sorted.indexOf(axis));
}
