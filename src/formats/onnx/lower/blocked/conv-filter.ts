import { windowed } from '../../../../graph/ops/linear.ts';
import { ints } from '../../../../graph/ops/spec.ts';
import type { Node } from '../../../../graph/types.ts';
import { NCHW } from '../layout.ts';
import { windowOf } from '../window.ts';
import { padded } from './affine.ts';
import type { Blocked, BlockedRule, Sizes } from './context.ts';
import { MICROSOFT } from './domain.ts';

/** Values that the three ways to the gradient of a filter start from. */
interface Task {
  readonly x: string;
  readonly dy: string;
  /** x and dy: [batch, height, width, channels]. */
  readonly large: Sizes;
  readonly small: Sizes;
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Padding before the first row and column. */
  readonly before: readonly [number, number];
  /** Rows and columns of padding that windows reach at the far end. */
  readonly after: readonly [number, number];
  /** Rows and columns of gradient that come out: more than the filter has where windows leave a rest of x. */
  readonly out: readonly [number, number];
}

export const conv2dBackpropFilter: BlockedRule = (node, b) => {
  const task = taskOf(node, b);
  if (task === undefined) return false;
  const { size, large } = task;
  const result =
    size[0] * size[1] === 1 && task.before.every((pad) => pad === 0)
      ? pointwise(b, task)
      : isImage(b, task) && size[0] * size[1] * large[3] <= 32
        ? columns(b, task)
        : correlated(b, task);
  b.c.define(node.outputs[0]!, result);
  return true;
};

/** True if x lies there as it was fed, with fewer channels than a block has. */
function isImage(b: Blocked, { x, large }: Task): boolean {
  return large[3] < b.size && !b.has(x);
}

export function taskOf(node: Node, b: Blocked): Task | undefined {
  const [x, dy] = node.inputs as [string, string];
  const { strides, dilations, pads } = windowOf(node.attrs);
  const size = ints(node.attrs, 'filterShape').slice(0, 2) as [number, number];
  const small = b.sizesOf(dy);
  const { dtype, shape } = b.c.typeOf(x);
  const readable = dtype === 'float32' && (b.sizesOf(x) !== undefined || (shape[3] as number) < b.size);
  if (small === undefined || !readable || dilations.some((dilation) => dilation !== 1)) return undefined;
  const large = shape as unknown as Sizes;
  const along = <T>(f: (i: 0 | 1) => T): [T, T] => [f(0), f(1)];
  const regular = along(
    (i) => small[i + 1] === windowed(large[i + 1]!, size[i], strides[i], 1, pads[2 * i]!, pads[2 * i + 1]!),
  );
  if (!regular[0] || !regular[1]) return undefined;
  const before = along((i) => pads[2 * i]!);
  const reached = along((i) => strides[i] * (small[i + 1]! - 1) + size[i] - large[i + 1]! - before[i]);
  const after = along((i) => Math.max(0, reached[i]));
  return { x, dy, large, small, size, strides, before, after, out: along((i) => size[i] + after[i] - reached[i]) };
}

/** 1×1: a matrix product per sample. Strides skip pixels of x, as a pooling of single pixels does. */
function pointwise(b: Blocked, { x, dy, large, small, strides }: Task): string {
  const [n, h, w, filters] = small;
  const channels = large[3];
  const matrix = (tensor: string, depth: number): string => b.reshape(tensor, [n, depth, h * w]);
  const right = matrix(b.nchw(dy), filters);
  const left = matrix(strides[0] * strides[1] === 1 ? b.nchw(x) : skipped(b, x, strides, channels), channels);
  const products = b.c.one('FusedMatMul', [left, right], { transB: 1 }, MICROSOFT);
  const sum = b.c.one('ReduceSum', [products, b.c.ints([0])], { keepdims: 0 });
  return b.reshape(sum, [1, 1, channels, filters]);
}

/** Every so many rows and columns, [batch, channels, rows, columns]. */
function skipped(b: Blocked, x: string, strides: readonly [number, number], channels: number): string {
  if (b.has(x)) {
    const picked = b.nchwc('MaxPool', [b.get(x)!], { kernel_shape: [1, 1], strides });
    return b.nchwc('ReorderOutput', [picked], { channels });
  }
  const steps = [[0, 0], [Infinity, Infinity], [2, 3], strides].map((values) => b.c.ints(values));
  return b.c.one('Slice', [b.c.as(x, NCHW), ...steps]);
}

/** Few input channels: the windows of the image side by side, times dy, per sample. */
function columns(b: Blocked, { x, dy, large, small, size, strides, before, after }: Task): string {
  const [n, h, w, filters] = small;
  const channels = large[3];
  const filled = b.filled(filters);
  const amounts = [0, 0, before[0], before[1], 0, 0, after[0], after[1]];
  const image = b.c.as(x, NCHW);
  const wide = amounts.every((amount) => amount === 0) ? image : b.c.one('Pad', [image, b.c.ints(amounts)]);
  const windows: string[] = [];
  for (let r = 0; r < size[0]; r++)
    for (let q = 0; q < size[1]; q++) {
      const ends = [r + strides[0] * (h - 1) + 1, q + strides[1] * (w - 1) + 1];
      windows.push(b.c.one('Slice', [wide, b.c.ints([r, q]), b.c.ints(ends), b.c.ints([2, 3]), b.c.ints(strides)]));
    }
  const rows = size[0] * size[1] * channels;
  const side = b.reshape(b.c.one('Concat', windows, { axis: 1 }), [n, 1, rows, h * w]);
  const products = b.c.one('MatMul', [side, b.reshape(b.get(dy)!, [n, filled / b.size, h * w, b.size])]);
  const sum = b.c.one('ReduceSum', [products, b.c.ints([0])], { keepdims: 0 });
  return toFilter(b, sum, [size[0], size[1], channels], rows, filters);
}

/** [blocks of filters, rows, size] as [...shape, filters]. */
function toFilter(b: Blocked, tensor: string, shape: readonly number[], rows: number, filters: number): string {
  const filled = b.filled(filters);
  const lying = filled === b.size ? tensor : b.c.one('Transpose', [tensor], { perm: [1, 0, 2] });
  const whole = b.reshape(lying, filled === filters ? [...shape, filters] : [rows, filled]);
  if (filled === filters) return whole;
  const cut = b.c.one('Slice', [whole, b.c.ints([0]), b.c.ints([filters]), b.c.ints([1])]);
  return b.reshape(cut, [...shape, filters]);
}

/**
 * A convolution whose input channels are the samples of the batch: the image is x, its rows [width · channels] long, and the
 * kernel is dy, its columns `channels` apart, so that output column q · channels + c is the gradient at column q for channel c.
 */
function correlated(b: Blocked, task: Task): string {
  const { dy, large, small, size, strides, before, after, out } = task;
  const [n, height, , channels] = large;
  const filters = b.filled(small[3]);
  const samples = b.filled(n);
  const width = large[2] + before[1] + after[1];
  // Padding in the data instead of around the convolution: its edges take a slow path.
  const last = isImage(b, task) ? widened(b, task) : channelsLast(b, task);
  const row = width * channels;
  const image = withSamples(b, last, [n, height * row], samples);
  const blocked = b.nchwc('ReorderInput', [b.reshape(image, [1, samples, height, row])]);
  const attrs = {
    kernel_shape: [small[1], small[2]],
    dilations: [strides[0], strides[1] * channels],
    pads: [before[0], 0, after[0], 0],
  };
  const result = b.nchwc('Conv', [blocked, kernel(b, dy, small, samples)], attrs);
  const shape = [size[0], size[1], channels];
  const rows = size[0] * size[1] * channels;
  const blocks = filters / b.size;
  const matrix = (tensor: string): string => b.reshape(tensor, [blocks, rows, b.size]);
  if (out.join() === size.join()) return toFilter(b, matrix(result), shape, rows, small[3]);
  const grid = b.reshape(result, [blocks, out[0], out[1] * channels, b.size]);
  const ends = b.c.ints([size[0], size[1] * channels]);
  const cut = b.c.one('Slice', [grid, b.c.ints([0, 0]), ends, b.c.ints([1, 2])]);
  return toFilter(b, matrix(cut), shape, rows, small[3]);
}

/** x with its padding left and right, [batch, height, width, channels]. */
function channelsLast(b: Blocked, { x, large, before, after }: Task): string {
  const channels = large[3];
  const wide = padded(b, b.get(x)!, b.filled(channels), [0, before[1], 0, after[1]]);
  return channels === b.size ? wide : b.nchwc('ReorderOutput', [wide], { channels, channels_last: 1 });
}

function widened(b: Blocked, { x, before, after }: Task): string {
  const plain = b.c.plain(x);
  if (before[1] + after[1] === 0) return plain;
  return b.c.one('Pad', [plain, b.c.ints([0, 0, before[1], 0, 0, 0, after[1], 0])]);
}

/** Samples filled up with zeros to whole blocks. */
function withSamples(b: Blocked, tensor: string, [n, rest]: readonly [number, number], samples: number): string {
  if (n === samples) return tensor;
  return b.c.one('Pad', [b.reshape(tensor, [n, rest]), b.c.ints([0, 0, samples - n, 0])]);
}

/** dy as a filter over samples: [filters / size, samples / size, height, width, samples % size, filters % size] in memory. */
function kernel(b: Blocked, dy: string, [n, h, w, depth]: Sizes, samples: number): string {
  return b.c.once(`kernel ${dy}`, () => {
    const { size } = b;
    const filters = b.filled(depth);
    const blocks = samples / size;
    const full = withSamples(b, b.get(dy)!, [n, h * w * filters], samples);
    const sorted = b.nchwc('ReorderInput', [b.reshape(full, [blocks, size, 1, h * w * filters])], { channels_last: 1 });
    const runs = [blocks, filters / size, h * w * size * size];
    const lying =
      filters === size || blocks === 1 ? sorted : b.c.one('Transpose', [b.reshape(sorted, runs)], { perm: [1, 0, 2] });
    return b.reshape(lying, [filters, samples, h, w]);
  });
}
