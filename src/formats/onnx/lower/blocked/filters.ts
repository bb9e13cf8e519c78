import type { Blocked } from './context.ts';

/** A filter [height, width, in, out] of the graph, filled up to whole blocks of channels on demand. */
export interface Filter {
  readonly tensor: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
}

export function filterOf(b: Blocked, value: string, fill: { readonly channels: boolean }): Filter {
  const [height, width, channels, filters] = b.c.shapeOf(value) as readonly [number, number, number, number];
  const target = [fill.channels ? b.filled(channels) : channels, b.filled(filters)] as const;
  const tensor = padded(b, b.c.plain(value), [height, width, channels, filters], target);
  return { tensor, height, width, channels: target[0], filters: target[1] };
}

function padded(
  b: Blocked,
  tensor: string,
  [height, width, channels, filters]: readonly [number, number, number, number],
  [toChannels, toFilters]: readonly [number, number],
): string {
  if (toChannels === channels && toFilters === filters) return tensor;
  return b.c.once(`filled ${tensor} ${height} ${width} ${toChannels} ${toFilters}`, () => {
    const amounts = [0, 0, 0, 0, 0, 0, toChannels - channels, toFilters - filters];
    return b.c.one('Pad', [tensor, b.c.ints(amounts)]);
  });
}

/**
 * Filter for a convolution over blocks: [out / size, in / size, height, width, in % size, out % size] in memory. The runs of `size` filters
 * that the graph's order has stay whole, so the transpose is a copy of runs. Few input channels (the image itself) are not in blocks: [out
 * / size, in, height, width, out % size].
 */
export function forward(b: Blocked, { tensor, height, width, channels, filters }: Filter): string {
  const { size } = b;
  return b.c.once(`forward filter ${tensor}`, () => {
    const blocks = filters / size;
    const lying =
      channels < size
        ? b.c.one('Transpose', [b.reshape(tensor, [height, width, channels, blocks, size])], { perm: [3, 2, 0, 1, 4] })
        : b.c.one('Transpose', [b.reshape(tensor, [height, width, channels / size, size, blocks, size])], {
            perm: [4, 2, 0, 1, 3, 5],
          });
    return b.reshape(lying, [filters, channels, height, width]);
  });
}

/** Filter for the gradient of the input: in and out swapped, with the taps named in `taps`, [rows][columns]; -1 is zero. */
export function backward(b: Blocked, filter: Filter, taps: readonly (readonly number[])[]): string {
  const { tensor, height, width, channels, filters } = filter;
  const { size } = b;
  const [rows, columns] = [taps.length, taps[0]!.length];
  const picked = pick(b, tensor, [height * width, channels * filters], taps.flat());
  const split = b.reshape(picked, [rows, columns, channels / size, size, filters / size, size]);
  const lying = b.c.one('Transpose', [split], { perm: [2, 4, 0, 1, 5, 3] });
  return b.reshape(lying, [channels, filters, rows, columns]);
}

/** Rows of a matrix, -1 a row of zeros. */
function pick(b: Blocked, tensor: string, shape: readonly [number, number], rows: readonly number[]): string {
  if (rows.length === shape[0] && rows.every((row, i) => row === i)) return tensor;
  const flat = b.c.once(`rows ${tensor} ${shape.join()}`, () => b.reshape(tensor, shape));
  if (rows.every((row) => row >= 0)) return b.c.one('Gather', [flat, b.c.ints(rows)], { axis: 0 });
  const more = b.c.once(`rows and zeros ${flat}`, () => b.c.one('Pad', [flat, b.c.ints([0, 0, 1, 0])]));
  return b.c.one('Gather', [more, b.c.ints(rows.map((row) => (row < 0 ? shape[0] : row)))], { axis: 0 });
}

/** [height, width, channels, 1] as a depthwise filter over blocks, of the named taps, times `factor` for each channel. */
export function depthwise(b: Blocked, value: string, taps?: readonly (readonly number[])[], factor?: string): string {
  const [height, width, channels] = b.c.shapeOf(value) as readonly [number, number, number, number];
  const filled = b.filled(channels);
  const all = height * width;
  const wanted =
    taps ?? Array.from({ length: height }, (_, r) => Array.from({ length: width }, (_, q) => r * width + q));
  const plain = padded(b, b.c.plain(value), [height, width, channels, 1], [filled, 1]);
  const scaled = (by: string): string =>
    b.c.once(`${plain} by ${by}`, () => b.c.one('Mul', [plain, b.reshape(by, [filled, 1])]));
  const whole = factor === undefined ? plain : scaled(factor);
  return b.c.once(`depthwise filter ${whole} ${wanted.join()}`, () => {
    const picked = pick(b, whole, [all, filled], wanted.flat());
    const count = wanted.flat().length;
    const split = b.reshape(picked, [count, filled / b.size, b.size]);
    const lying = b.c.one('Transpose', [split], { perm: [1, 0, 2] });
    return b.reshape(lying, [filled, 1, wanted.length, wanted[0]!.length]);
  });
}
