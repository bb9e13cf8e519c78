import { ignore, intAttr, intsAttr } from './attrs.ts';
import type { Import, Importer } from './context.ts';
import { defineImage, imageOf, spatialOf } from './image.ts';
import { ceiling, windowOf } from './window.ts';

const pool =
  (op: 'MaxPool' | 'AvgPool'): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const given = intsAttr(node, c, 'kernel_shape') ?? c.fail('it names no kernel_shape');
    const filterSize = given.length === 1 ? [1, given[0]!] : given;
    const size = spatialOf(c, x);
    const window = windowOf(node, c, filterSize, size);
    const [bottom, right] = ceiling(node, c, filterSize, size, window);
    // In which order the indices count, which are not given here.
    if (op === 'MaxPool') ignore(node, 'storage_order');
    const isCounted = op === 'AvgPool' && intAttr(node, c, 'count_include_pad', 0) === 1;
    const [above, below, left, after] = window.pads as [number, number, number, number];
    let value = imageOf(c, x);
    let pads = [above, below + bottom, left, after + right];
    if (isCounted && above + below + left + after > 0) {
      value = c.op('Pad', [value], { paddings: [0, 0, above, below, left, after, 0, 0], constantValue: 0 });
      // What ceil_mode adds is never counted.
      pads = [0, bottom, 0, right];
    }
    const { strides, dilations } = window;
    const y = c.op(op, [value], { filterSize, strides, dilations, pads });
    defineImage(c, node.outputs[0]!, y, c.shapeOf(x).length);
  };

/** The p-th root of the sum of |x|^p over each window; a convolution with ones, which knows dilation. */
const lpPool: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const p = intAttr(node, c, 'p', 2);
  const given = intsAttr(node, c, 'kernel_shape') ?? c.fail('it names no kernel_shape');
  const kernel = given.length === 1 ? [1, given[0]!] : given;
  const size = spatialOf(c, x);
  const { strides, dilations, pads } = windowOf(node, c, kernel, size);
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
  return p === 2 ? c.op('Sqrt', [x]) : c.op('Pow', [x, c.constant(Float32Array.of(1 / p), [])]);
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
