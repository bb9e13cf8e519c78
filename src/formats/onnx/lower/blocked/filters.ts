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
 * Filter for a convolution over blocks: [out / size, in / size, height, width, in % size, out % size] in memory. Few input channels (the
 * image itself) are not in blocks: [out / size, in, height, width, out % size].
 */
export function forwardFilter(b: Blocked, { tensor, height, width, channels, filters }: Filter): string {
  const { size } = b;
  return b.c.once(`forward filter ${tensor}`, () => {
    const [taps, blocks] = [height * width, filters / size];
    if (channels < size) {
      const split = b.reshape(tensor, [height, width, channels, blocks, size]);
      const lying = b.c.one('Transpose', [split], { perm: [3, 2, 0, 1, 4] });
      return b.reshape(lying, [filters, channels, height, width]);
    }
    const inputs = channels / size;
    const columns = b.reshape(tensor, [taps * inputs, 1, size, filters]);
    const squares = blocks === 1 ? columns : b.nchwc('ReorderInput', [columns], { channels_last: 1 });
    const order = inOrder([blocks, inputs, taps], ([o, i, tap]) => (tap! * inputs + i!) * blocks + o!);
    return b.reshape(pickSquares(b, squares, order), [filters, channels, height, width]);
  });
}

/**
 * Filter for the gradient of the input: in and out swapped, with the taps named in `taps`, [rows][columns]; -1 is zero. Each square of
 * channels by filters is turned, and then put in its place.
 */
export function backward(b: Blocked, filter: Filter, taps: readonly (readonly number[])[]): string {
  const { tensor, height, width, channels, filters } = filter;
  const { size } = b;
  const [rows, columns] = [taps.length, taps[0]!.length];
  const [inputs, outputs] = [channels / size, filters / size];
  const turned = b.c.once(`turned filter ${tensor}`, () =>
    b.nchwc('ReorderInput', [b.reshape(tensor, [height * width, channels, 1, filters])]),
  );
  const order = inOrder([inputs, outputs, rows * columns], ([i, o, place]) => {
    const tap = taps[Math.floor(place! / columns)]![place! % columns]!;
    return tap < 0 ? -1 : (tap * inputs + i!) * outputs + o!;
  });
  return b.reshape(pickSquares(b, turned, order, height * width * inputs * outputs), [
    channels,
    filters,
    rows,
    columns,
  ]);
}

/** Values of `at` for all places of a grid, along its last axis first. */
function inOrder(sizes: readonly [number, number, number], at: (place: readonly number[]) => number): number[] {
  const found: number[] = [];
  for (let i = 0; i < sizes[0]; i++)
    for (let k = 0; k < sizes[1]; k++) for (let m = 0; m < sizes[2]; m++) found.push(at([i, k, m]));
  return found;
}

/** Squares of `size` numbers by `size` in another order, -1 a square of zeros. Picked in threads, which a transpose is not. */
function pickSquares(b: Blocked, tensor: string, order: readonly number[], count = order.length): string {
  return pick(b, tensor, [count, b.size * b.size], order);
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
export function depthwiseFilter(
  b: Blocked,
  value: string,
  taps?: readonly (readonly number[])[],
  factor?: string,
): string {
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
