import type { Dim, Shape, TensorData } from '../../../graph/types.ts';

/**
 * Order of a value's axes in an ONNX tensor: axis i of the tensor is axis `layout[i]` of the graph's value. `[0, 1, 2, ...]`, the graph's own order,
 * is called plain.
 */
export type Layout = readonly number[];

/** Activations: the graph has [batch, height, width, channels]. */
export const NCHW: Layout = [0, 3, 1, 2];
/** Activations with channels and batch swapped, [channels, batch, height, width]. */
export const CNHW: Layout = [3, 0, 1, 2];
/** Filters: the graph has [height, width, in, out]. */
export const OIHW: Layout = [3, 2, 0, 1];
/** Filters, [in, out, height, width]. */
export const IOHW: Layout = [2, 3, 0, 1];

export function plainLayout(rank: number): Layout {
  return Array.from({ length: rank }, (_, i) => i);
}

export function isPlain(layout: Layout): boolean {
  return layout.every((axis, i) => axis === i);
}

/** Shape of a tensor in `layout` for a value of shape `shape`. */
export function permuted(shape: Shape, layout: Layout): Dim[] {
  return layout.map((axis) => shape[axis]!);
}

/** `perm` of the Transpose from one layout to another. */
export function between(from: Layout, to: Layout): number[] {
  return to.map((axis) => from.indexOf(axis));
}

/** True if a transpose moves only axes of size 1, so that the elements keep their order. */
export function keepsOrder(shape: Shape, perm: readonly number[]): boolean {
  const moving = perm.filter((axis) => shape[axis] !== 1);
  return moving.every((axis, i) => i === 0 || axis > moving[i - 1]!);
}

/** Permutes the axes of `data` of a fixed shape, in runs along the last axis of the source or of the result, whichever is longer. */
export function transposeData(data: TensorData, shape: readonly number[], perm: readonly number[]): TensorData {
  const out = data.slice() as Float32Array;
  const source = data as Float32Array;
  const sizes = perm.map((axis) => shape[axis]!);
  const fills = (sizes.at(-1) ?? 1) >= (shape.at(-1) ?? 1);
  const axes = fills ? sizes : shape;
  const [from, to] = [stridesOf(shape), stridesOf(sizes)];
  const steps = fills ? perm.map((axis) => from[axis]!) : shape.map((_, axis) => to[perm.indexOf(axis)]!);
  const [run, step] = [axes.at(-1) ?? 1, steps.at(-1) ?? 0];
  const position = new Array<number>(axes.length).fill(0);
  for (let start = 0, other = 0; start < out.length; start += run) {
    if (fills) for (let i = start, at = other; i < start + run; i++, at += step) out[i] = source[at]!;
    else for (let i = start, at = other; i < start + run; i++, at += step) out[at] = source[i]!;
    for (let axis = axes.length - 2; axis >= 0; axis--) {
      other += steps[axis]!;
      if (++position[axis]! < axes[axis]!) break;
      other -= steps[axis]! * axes[axis]!;
      position[axis] = 0;
    }
  }
  return out;
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
}
