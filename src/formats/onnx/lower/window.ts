import { ints } from '../../../graph/ops/spec.ts';
import type { Attrs, Shape } from '../../../graph/types.ts';
import type { Lowering } from './context.ts';

/** top, bottom, left, right */
export type Pads = readonly [number, number, number, number];

/** Attributes of a 2-D window op, each [height, width]. */
export interface Window {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: Pads;
}

export function windowOf(attrs: Attrs): Window {
  return {
    strides: ints(attrs, 'strides') as [number, number],
    dilations: ints(attrs, 'dilations') as [number, number],
    pads: ints(attrs, 'pads') as unknown as Pads,
  };
}

/** ONNX orders pads by begin and end: top, left, bottom, right. */
export function onnxPads([top, bottom, left, right]: readonly number[]): number[] {
  return [top!, left!, bottom!, right!];
}

export function spatial(shape: Shape): [number, number] {
  return [shape[1] as number, shape[2] as number];
}

/** Extent of a dilated window. */
function extent(size: number, dilation: number): number {
  return (size - 1) * dilation + 1;
}

/** `output_padding` with which a transposed convolution of `small` gives `large`: elements after the last window that none has read. */
export function outputPadding(
  large: readonly [number, number],
  small: readonly [number, number],
  filter: readonly [number, number],
  { strides, dilations, pads }: Window,
): [number, number] {
  const along = (i: 0 | 1): number =>
    large[i] + pads[2 * i]! + pads[2 * i + 1]! - (small[i] - 1) * strides[i] - extent(filter[i], dilations[i]);
  return [along(0), along(1)];
}

/** Convolutions support floats only. */
export function floatOperand(c: Lowering, tensor: string, dtype: string): string {
  return dtype.startsWith('float') ? tensor : c.once(`cast ${tensor} float32`, () => c.cast(tensor, 'float32'));
}

/** Number of input elements in each window of a pooling, row by row. */
export function windowCounts(large: readonly number[], small: readonly number[], attrs: Attrs): Float32Array {
  const { strides, pads } = windowOf(attrs);
  const filter = ints(attrs, 'filterSize');
  const covered = (i: 0 | 1): number[] =>
    Array.from({ length: small[i]! }, (_, at) => {
      const from = at * strides[i] - pads[2 * i]!;
      return Math.max(0, Math.min(large[i]!, from + filter[i]!) - Math.max(0, from));
    });
  const columns = covered(1);
  return Float32Array.from(covered(0).flatMap((rows) => columns.map((count) => rows * count)));
}
