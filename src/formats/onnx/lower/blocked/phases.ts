import type { Lowering } from '../context.ts';

/** [batch, height, width, channels] */
export type PictureSizes = readonly [number, number, number, number];

/** The parts of the blocked lowering that putting phases together needs. */
interface Blocks {
  readonly c: Lowering;
  readonly size: number;
  filled(channels: number): number;
  reshape(tensor: string, shape: readonly number[]): string;
}

/**
 * The gradient of what a strided window reads, by phase: `parts[r * strides[1] + q]` holds rows r, r + strides[0], ... and
 * columns q, q + strides[1], ..., rounded up to the same number for all; undefined is zero everywhere. Two of them add up
 * part by part, which spares a pass over zeros where a 1×1 window skips most of its input.
 */
export interface Phased {
  readonly strides: readonly [number, number];
  readonly parts: readonly (string | undefined)[];
}

export function addPhases(b: Blocks, one: Phased, other: Phased): Phased | undefined {
  if (one.strides.join() !== other.strides.join()) return undefined;
  const parts = one.parts.map((part, i) => {
    const second = other.parts[i];
    return part === undefined || second === undefined ? (part ?? second) : b.c.one('Add', [part, second]);
  });
  return { strides: one.strides, parts };
}

/** Rows and columns that each part has. */
export function partSize([, h, w]: PictureSizes, strides: readonly [number, number]): [number, number] {
  return [Math.ceil(h / strides[0]), Math.ceil(w / strides[1])];
}

/** The parts in their places: columns side by side, then rows below each other, then cut at the edge. */
export function interleave(b: Blocks, { strides, parts }: Phased, sizes: PictureSizes): string {
  const [n, h, w, channels] = sizes;
  const filled = b.filled(channels);
  const planes = (n * filled) / b.size;
  const [rows, columns] = partSize(sizes, strides);
  const zero = (): string =>
    b.c.once(`zeros ${planes * rows * columns}`, () =>
      b.c.one('Expand', [b.c.scalar('float32', 0), b.c.ints([n, filled, rows, columns])]),
    );
  const [down, across] = strides;
  const lines = Array.from({ length: down }, (_, r) => {
    const here = parts.slice(r * across, (r + 1) * across);
    if (here.every((part) => part === undefined)) return undefined;
    return joined(
      b,
      here.map((part) => part ?? zero()),
      [planes * rows * columns, b.size],
    );
  });
  const width = across * columns * b.size;
  const zeroLine = (): string =>
    b.c.once(`zeros ${planes * rows} ${width}`, () =>
      b.c.one('Expand', [b.c.scalar('float32', 0), b.c.ints([planes * rows, width])]),
    );
  const whole = joined(
    b,
    lines.map((line) => line ?? zeroLine()),
    [planes * rows, width],
  );
  return cut(b, whole, [n, filled, down * rows, across * columns], [h, w]);
}

function joined(b: Blocks, tensors: readonly string[], shape: readonly number[]): string {
  if (tensors.length === 1) return tensors[0]!;
  return b.c.one(
    'Concat',
    tensors.map((tensor) => b.reshape(tensor, shape)),
    { axis: 1 },
  );
}

/** The first `height` rows and `width` columns of a blocked tensor. */
function cut(
  b: Blocks,
  tensor: string,
  [n, filled, rows, columns]: readonly [number, number, number, number],
  [height, width]: readonly [number, number],
): string {
  if (rows === height && columns === width) return b.reshape(tensor, [n, filled, height, width]);
  return window(b, tensor, [n, filled, rows, columns], [0, 0], [height, width]);
}

/** A spatial window of a blocked tensor. */
export function window(
  b: Blocks,
  tensor: string,
  [n, filled, rows, columns]: readonly [number, number, number, number],
  [top, left]: readonly [number, number],
  [height, width]: readonly [number, number],
): string {
  const flat = b.reshape(tensor, [(n * filled) / b.size, rows, columns * b.size]);
  const [starts, ends] = [
    [top, left * b.size],
    [top + height, (left + width) * b.size],
  ];
  const kept = b.c.one('Slice', [flat, b.c.ints(starts), b.c.ints(ends), b.c.ints([1, 2])]);
  return b.reshape(kept, [n, filled, height, width]);
}
