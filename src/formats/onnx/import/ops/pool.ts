import type { Dim } from '../../../../graph/types.ts';
import { ignore, intAttr, intsAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { defineImage, imageOf, spatialOf } from '../image.ts';
import { ceiling, windowOfNode } from '../window.ts';
import type { ImportedWindow } from '../window.ts';

const pool =
  (op: 'MaxPool' | 'AvgPool'): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const kernelShape = intsAttr(node, c, 'kernel_shape') ?? c.fail('it names no kernel_shape');
    const filterSize = kernelShape.length === 1 ? [1, kernelShape[0]!] : kernelShape;
    const size = spatialOf(c, x);
    const window = windowOfNode(node, c, filterSize, size);
    const [bottom, right] = ceiling(node, c, filterSize, size, window);
    // Concerns the order of indexes, which are not returned.
    if (op === 'MaxPool') ignore(node, 'storage_order');
    const isCounted = op === 'AvgPool' && intAttr(node, c, 'count_include_pad', 0) === 1;
    const [above, below, left, after] = window.pads as [number, number, number, number];
    let value = imageOf(c, x);
    let pads = [above, below + bottom, left, after + right];
    if (isCounted && above + below + left + after > 0) {
      value = c.op('Pad', [value], { paddings: [0, 0, above, below, left, after, 0, 0], constantValue: 0 });
      // Padding that ceil_mode adds never counts in averages.
      pads = [0, bottom, 0, right];
    }
    const { strides, dilations } = window;
    const attrs = { strides, dilations, pads };
    const isConvolution = op === 'AvgPool' && dilations.some((dilation) => dilation > 1);
    const y = isConvolution ? dilatedMean(c, value, filterSize, attrs) : c.op(op, [value], { filterSize, ...attrs });
    defineImage(c, node.outputs[0]!, y, c.shapeOf(x).length);
  };

/**
 * A dilated mean that excludes padding, as a convolution with equal weights: TFLite has no such pool, and ONNX Runtime fails on one between 8-bit
 * roundings.
 */
function dilatedMean(c: Import, value: string, kernel: readonly number[], attrs: ImportedWindow): string {
  const [, height, width, channels] = c.builder.typeOf(value).shape as [Dim, number, number, number];
  const [rows, columns] = [height, width].map((size, i) => counts(size, kernel[i]!, attrs, i)) as [number[], number[]];
  const all = kernel[0]! * kernel[1]!;
  const weights = c.constant(new Float32Array(all * channels).fill(1 / all), [...kernel, channels, 1]);
  const y = c.op('DepthwiseConv2dNative', [value, weights], { ...attrs });
  const factors = rows.flatMap((row) => columns.map((column) => all / (row * column)));
  if (factors.every((factor) => factor === 1)) return y;
  return c.op('Multiply', [y, c.constant(Float32Array.from(factors), [rows.length, columns.length, 1])]);
}

/** Numbers of pixels in each window along an axis. */
function counts(size: number, kernel: number, { strides, dilations, pads }: ImportedWindow, axis: number): number[] {
  const [stride, dilation, before, after] = [strides[axis]!, dilations[axis]!, pads[2 * axis]!, pads[2 * axis + 1]!];
  const windows = Math.floor((size + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
  return Array.from({ length: windows }, (_, window) => {
    const taps = Array.from({ length: kernel }, (_, tap) => window * stride - before + tap * dilation);
    return taps.filter((at) => at >= 0 && at < size).length;
  });
}

/** The p-th root of the sum of |x|^p over each window, by a convolution with ones, which supports dilation. */
const lpPool: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const p = intAttr(node, c, 'p', 2);
  const given = intsAttr(node, c, 'kernel_shape') ?? c.fail('it names no kernel_shape');
  const kernel = given.length === 1 ? [1, given[0]!] : given;
  const size = spatialOf(c, x);
  const { strides, dilations, pads } = windowOfNode(node, c, kernel, size);
  const [bottom, right] = ceiling(node, c, kernel, size, { strides, dilations, pads });
  const [above, below, left, after] = pads as [number, number, number, number];
  const image = imageOf(c, x);
  const channels = c.builder.typeOf(image).shape[3] as number;
  const ones = c.constant(new Float32Array(kernel[0]! * kernel[1]! * channels).fill(1), [...kernel, channels, 1]);
  const attrs = { strides, dilations, pads: [above, below + bottom, left, after + right] };
  const sum = c.op('DepthwiseConv2dNative', [raised(c, image, p), ones], attrs);
  defineImage(c, node.outputs[0]!, rooted(c, sum, p), c.shapeOf(x).length);
};

const globalLpPool: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const p = intAttr(node, c, 'p', 2);
  const axes = c
    .shapeOf(x)
    .slice(2)
    .map((_, i) => i + 2);
  const sum = c.op('Sum', [raised(c, c.plain(x), p)], { axes, keepDims: true });
  c.define(node.outputs[0]!, { plain: rooted(c, sum, p) });
};

/** |x|^p. */
function raised(c: Import, x: string, p: number): string {
  if (p === 2) return c.op('Square', [x]);
  const size = c.op('Abs', [x]);
  return p === 1 ? size : c.op('Pow', [size, c.constant(Float32Array.of(p), [])]);
}

function rooted(c: Import, x: string, p: number): string {
  if (p === 1) return x;
  if (p === 2) return c.op('Sqrt', [x]);
  // The derivative of a root at 0 is infinite, which would make gradients of zero windows NaN.
  const [zero, least, exponent] = [0, 2 ** -126, 1 / p].map((value) => c.constant(Float32Array.of(value), []));
  const root = c.op('Pow', [c.op('Maximum', [x, least!]), exponent!]);
  return c.op('Select', [c.op('Greater', [x, zero!]), root, zero!]);
}

const globalPool =
  (op: 'Mean' | 'Max'): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const rank = c.shapeOf(x).length;
    if (rank === 4) {
      c.defineNhwc(node.outputs[0]!, c.op(op, [c.nhwc(x)], { axes: [1, 2], keepDims: true }));
      return;
    }
    if (rank < 3) c.fail(`of a tensor with ${rank} axes; expected [n, c, ...]`);
    const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
    c.define(node.outputs[0]!, { plain: c.op(op, [c.plain(x)], { axes, keepDims: true }) });
  };

export const poolImporters: Readonly<Record<string, Importer>> = {
  MaxPool: pool('MaxPool'),
  AveragePool: pool('AvgPool'),
  LpPool: lpPool,
  GlobalLpPool: globalLpPool,
  GlobalAveragePool: globalPool('Mean'),
  GlobalMaxPool: globalPool('Max'),
};
