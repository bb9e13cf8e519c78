import { windowed } from '../../../../graph/ops/linear.ts';
import { ints } from '../../../../graph/ops/spec.ts';
import type { Node } from '../../../../graph/types.ts';
import { NCHW } from '../layout.ts';
import { windowOf } from '../window.ts';
import { zeroPadded } from './affine.ts';
import type { Blocked, BlockedRule, PictureSizes } from './context.ts';
import { MICROSOFT } from './domain.ts';

/** Values that the three ways to the gradient of a filter start from. */
interface Task {
  readonly x: string;
  readonly dy: string;
  /** x and dy: [batch, height, width, channels]. */
  readonly large: PictureSizes;
  readonly small: PictureSizes;
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
  const task = filterTaskOf(node, b);
  if (task === undefined) return false;
  const { size, large } = task;
  const result =
    size[0] * size[1] === 1 && [...task.before, ...task.after].every((pad) => pad === 0)
      ? pointwise(b, task)
      : isImage(b, task) && size[0] * size[1] * large[3] <= 32
        ? columns(b, task)
        : correlated(b, task);
  const factor = b.factorOf(task.dy);
  const scaled = factor === undefined ? result : b.c.one('Mul', [result, b.cutVector(factor, task.small[3])]);
  b.c.define(node.outputs[0]!, scaled);
  return true;
};

/** True if x lies there as it was fed, with fewer channels than a block has. */
function isImage(b: Blocked, { x, large }: Task): boolean {
  return large[3] < b.size && !b.has(x);
}

export function filterTaskOf(node: Node, b: Blocked): Task | undefined {
  const [x, dy] = node.inputs as [string, string];
  const { strides, dilations, pads } = windowOf(node.attrs);
  const size = ints(node.attrs, 'filterShape').slice(0, 2) as [number, number];
  const small = b.sizesOf(dy);
  const { dtype, shape } = b.c.typeOf(x);
  const readable = dtype === 'float32' && (b.sizesOf(x) !== undefined || (shape[3] as number) < b.size);
  if (small === undefined || !readable || dilations.some((dilation) => dilation !== 1)) return undefined;
  const large = shape as unknown as PictureSizes;
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

/**
 * 1×1: a matrix product per sample, and the sum over samples. Where that sum would read more than the activations, as of many channels and
 * few pixels, one product of the pixels of all samples instead. Strides skip pixels of x, as a pooling of single pixels does.
 */
function pointwise(b: Blocked, { x, dy, large, small, strides }: Task): string {
  const [n, h, w, filters] = small;
  const channels = large[3];
  const isWhole = strides[0] * strides[1] === 1;
  if (b.has(x) && channels * filters > h * w * (channels + filters)) {
    const left = isWhole ? b.c.plain(x) : skipped(b, x, strides, channels, true);
    const [rows, columns] = [
      b.reshape(left, [n * h * w, channels]),
      b.reshape(b.nhwcUnscaled(dy), [n * h * w, filters]),
    ];
    const product = b.c.one('FusedMatMul', [rows, columns], { transA: 1 }, MICROSOFT);
    return b.reshape(product, [1, 1, channels, filters]);
  }
  const matrix = (tensor: string, depth: number): string => b.reshape(tensor, [n, depth, h * w]);
  const right = matrix(b.nchwUnscaled(dy), filters);
  const left = matrix(isWhole ? b.nchw(x) : skipped(b, x, strides, channels), channels);
  const products = b.c.one('FusedMatMul', [left, right], { transB: 1 }, MICROSOFT);
  const sum = b.c.one('ReduceSum', [products, b.c.ints([0])], { keepdims: 0 });
  return b.reshape(sum, [1, 1, channels, filters]);
}

/** Every n-th row and column, [batch, channels, rows, columns]. */
function skipped(
  b: Blocked,
  x: string,
  strides: readonly [number, number],
  channels: number,
  channelsLast = false,
): string {
  if (b.has(x)) {
    const picked = b.nchwc('MaxPool', [b.get(x)!], { kernel_shape: [1, 1], strides });
    return b.nchwc('ReorderOutput', [picked], { channels, ...(channelsLast && { channels_last: 1 }) });
  }
  const steps = [[0, 0], [Infinity, Infinity], [2, 3], strides].map((values) => b.c.ints(values));
  return b.c.one('Slice', [b.c.as(x, NCHW), ...steps]);
}

/**
 * Few input channels: the windows of the image side by side, as a convolution that copies each tap lays them in blocks on all threads, times dy, per
 * sample.
 */
function columns(b: Blocked, { x, dy, large, small, size, strides, before, after }: Task): string {
  const [n, h, w, filters] = small;
  const [taps, channels] = [size[0] * size[1], large[3]];
  const rows = taps * channels;
  const [filledRows, blocks] = [b.filled(rows), b.filled(filters) / b.size];
  const copies = new Float32Array(filledRows * rows);
  // In memory [rows / size, channels, taps, rows % size].
  for (let row = 0; row < rows; row++) {
    const [block, place, tap, channel] = [
      Math.floor(row / b.size),
      row % b.size,
      Math.floor(row / channels),
      row % channels,
    ];
    copies[((block * channels + channel) * taps + tap) * b.size + place] = 1;
  }
  const filter = b.c.initializer('float32', [filledRows, channels, ...size], copies);
  const attrs = { kernel_shape: [...size], strides, pads: [before[0], before[1], after[0], after[1]] };
  const side = b.nchwc('Conv', [b.c.as(x, NCHW), filter], attrs);
  const left = b.reshape(side, [n, 1, filledRows / b.size, h * w, b.size]);
  const right = b.reshape(b.unscaled(dy)!, [n, blocks, 1, h * w, b.size]);
  const products = b.c.one('FusedMatMul', [left, right], { transA: 1 }, MICROSOFT);
  const sum = b.c.one('ReduceSum', [products, b.c.ints([0])], { keepdims: 0 });
  const all = b.reshape(sum, [blocks, filledRows, b.size]);
  const cut = rows === filledRows ? all : b.c.one('Slice', [all, b.c.ints([0]), b.c.ints([rows]), b.c.ints([1])]);
  return toFilter(b, cut, [size[0], size[1], channels], rows, filters);
}

/** [blocks of filters, rows, size] as [...shape, filters]. */
function toFilter(b: Blocked, tensor: string, shape: readonly number[], rows: number, filters: number): string {
  const filled = b.filled(filters);
  if (filled === filters && filled === b.size) return b.reshape(tensor, [...shape, filters]);
  const blocks = b.reshape(tensor, [1, filled, rows, 1]);
  return b.reshape(b.nchwc('ReorderOutput', [blocks], { channels: filters, channels_last: 1 }), [...shape, filters]);
}

/**
 * A convolution whose input channels are the samples of the batch: the image is x, its rows [width · channels] long, and the
 * kernel is dy, its columns `channels` apart, so that output column q · channels + c is the gradient at column q for channel c.
 *
 * ONNX Runtime divides such a convolution among threads by images, groups, four blocks of filters and rows of its output, which
 * here are three for a 3×3 filter: two threads would get one and two. So each block of samples is a group where what then has to
 * be summed is no more than dy, which also spares sorting dy by filters; and a single block of samples takes each block of
 * channels as an image of its own.
 */
function correlated(b: Blocked, task: Task): string {
  const { dy, large, small, size, strides, before, after, out } = task;
  const [n, height, , channels] = large;
  const samples = b.filled(n);
  const blocks = samples / b.size;
  const width = large[2] + before[1] + after[1];
  const images = blocks === 1 && !isImage(b, task) && channels % b.size === 0 ? channels / b.size : 1;
  const grouped = blocks > 1 && size[0] * size[1] * channels <= b.size * small[1] * small[2];
  const depth = channels / images;
  // Padding in the data instead of around the convolution: its edges take a slow path.
  const lying = isImage(b, task) ? widened(b, task) : images > 1 ? wide(b, task) : channelsLast(b, task);
  const rows = withSamples(b, lying, [n, height * width * channels], samples);
  const lines = b.reshape(rows, [1, samples, images * height, width * depth]);
  const image = b.reshape(b.nchwc('ReorderInput', [lines]), [images, samples, height, width * depth]);
  const attrs = {
    kernel_shape: [small[1], small[2]],
    dilations: [strides[0], strides[1] * depth],
    pads: [before[0], 0, after[0], 0],
    ...(grouped ? { group: blocks } : {}),
  };
  const result = b.nchwc('Conv', [image, grouped ? byBlock(b, dy, small) : kernel(b, dy, small, samples)], attrs);
  return gathered(b, result, {
    images,
    groups: grouped ? blocks : 1,
    depth,
    out,
    size,
    filters: small[3],
  });
}

/** The gradient [...size, channels, filters] from [images, groups, blocks of filters, rows, columns, depth, filters of a block]. */
function gathered(
  b: Blocked,
  tensor: string,
  of: {
    readonly images: number;
    readonly groups: number;
    readonly depth: number;
    readonly out: readonly [number, number];
    readonly size: readonly [number, number];
    readonly filters: number;
  },
): string {
  const { images, groups, depth, out, size, filters } = of;
  const shape = [size[0], size[1], images * depth];
  const rows = size[0] * size[1] * images * depth;
  const blocks = b.filled(filters) / b.size;
  const each = b.reshape(tensor, [groups, images * blocks * out[0] * out[1] * depth * b.size]);
  const sum = groups === 1 ? each : b.c.one('ReduceSum', [each, b.c.ints([0])], { keepdims: 0 });
  const grid = b.reshape(sum, [images * blocks, out[0], out[1] * depth * b.size]);
  const ends = b.c.ints([size[0], size[1] * depth * b.size]);
  const cut = out.join() === size.join() ? grid : b.c.one('Slice', [grid, b.c.ints([0, 0]), ends, b.c.ints([1, 2])]);
  if (images === 1) return toFilter(b, b.reshape(cut, [blocks, rows, b.size]), shape, rows, filters);
  const split = b.reshape(cut, [images, blocks, size[0] * size[1], depth, b.size]);
  const lying = b.reshape(b.c.one('Transpose', [split], { perm: [1, 2, 0, 3, 4] }), [blocks, rows, b.size]);
  return toFilter(b, lying, shape, rows, filters);
}

/** x with its padding left and right, in blocks. */
function wide(b: Blocked, { x, large, before, after }: Task): string {
  return zeroPadded(b, b.get(x)!, b.filled(large[3]), [0, before[1], 0, after[1]]);
}

/** The same, [batch, height, width, channels]. */
function channelsLast(b: Blocked, task: Task): string {
  const channels = task.large[3];
  if (channels === b.size) return wide(b, task);
  return b.nchwc('ReorderOutput', [wide(b, task)], { channels, channels_last: 1 });
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

/** dy by block of samples: [samples / size, filters / size, height, width, samples % size, filters % size] in memory. */
function sorted(b: Blocked, dy: string, [n, h, w, depth]: PictureSizes): string {
  return b.c.once(`sorted ${dy}`, () => {
    const [samples, row] = [b.filled(n), h * w * b.filled(depth)];
    const full = withSamples(b, b.unscaled(dy)!, [n, row], samples);
    const lines = b.reshape(full, [samples / b.size, b.size, 1, row]);
    return b.nchwc('ReorderInput', [lines], { channels_last: 1 });
  });
}

/** dy as the filters of a group for each block of samples. */
function byBlock(b: Blocked, dy: string, small: PictureSizes): string {
  const [n, h, w, depth] = small;
  const groups = b.filled(n) / b.size;
  return b.reshape(sorted(b, dy, small), [groups * b.filled(depth), b.size, h, w]);
}

/** dy as a filter over samples: [filters / size, samples / size, height, width, samples % size, filters % size] in memory. */
function kernel(b: Blocked, dy: string, small: PictureSizes, samples: number): string {
  const [, h, w, depth] = small;
  return b.c.once(`kernel ${dy}`, () => {
    const { size } = b;
    const filters = b.filled(depth);
    const blocks = samples / size;
    const runs = [blocks, filters / size, h * w * size * size];
    const byFilters = (tensor: string): string => b.c.one('Transpose', [b.reshape(tensor, runs)], { perm: [1, 0, 2] });
    const lying = sorted(b, dy, small);
    return b.reshape(filters === size || blocks === 1 ? lying : byFilters(lying), [filters, samples, h, w]);
  });
}
