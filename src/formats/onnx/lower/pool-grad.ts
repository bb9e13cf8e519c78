import { staticSize } from '../../../graph/shapes.ts';
import { ints } from '../../../graph/ops/spec.ts';
import type { Dim, Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { transposedConv } from './conv.ts';
import { NCHW, permuted } from './layout.ts';
import { maxPoolWithIndices } from './pool.ts';
import { maxPoolGradByTaps } from './pool-grad-taps.ts';
import { spatial, windowCounts, windowOf } from './window.ts';

export const maxPoolGrad: Rule = (node, c) => {
  if (!c.options.poolIndices) {
    maxPoolGradByTaps(node, c);
    return;
  }
  const [dy, x] = node.inputs as [string, string];
  const { indices, pads } = maxPoolWithIndices(c, x, node.attrs);
  const [batch, channels, height, width] = permuted(c.shapeOf(x), NCHW) as [Dim, number, number, number];
  const [top, bottom, left, right] = pads;
  const shape = [batch, channels, height + top + bottom, width + left + right];
  const total = shape.every((dim) => typeof dim === 'number')
    ? c.ints([staticSize(shape)])
    : c.one('ReduceProd', [c.shapeVector(shape)], { keepdims: 1 });
  const zeros = c.one('Expand', [c.scalar('float32', 0), total]);
  const [where, amounts] = [indices, c.as(dy, NCHW)].map((tensor) => c.one('Reshape', [tensor, c.ints([-1])]));
  // ScatterElements adds sequentially; ScatterND on ONNX Runtime's cpu provider adds in parallel and loses updates.
  const sum = c.one('ScatterElements', [zeros, where!, amounts!], { axis: 0, reduction: 'add' });
  const gradient = c.reshape(sum, [], shape);
  const inside = pads.every((amount) => amount === 0)
    ? gradient
    : c.one('Slice', [gradient, c.ints([top, left]), c.ints([top + height, left + width]), c.ints([2, 3])]);
  c.define(node.outputs[0]!, inside, NCHW);
};

export const avgPoolGrad: Rule = (node, c) => {
  const [dy, out] = [node.inputs[0]!, node.outputs[0]!];
  const [large, small] = [spatial(c.shapeOf(out)), spatial(c.shapeOf(dy))];
  const counts = windowCounts(large, small, node.attrs);
  const share = c.one('Div', [c.as(dy, NCHW), c.initializer('float32', [1, 1, ...small], counts)]);
  const filter = ints(node.attrs, 'filterSize') as [number, number];
  c.define(out, tiles(node, large) ? enlarged(c, share, filter, small, large) : spread(c, node, share), NCHW);
};

/** True if windows tile the input, without overlap, gap or padding. */
function tiles({ attrs }: Node, large: readonly number[]): boolean {
  const { strides, pads } = windowOf(attrs);
  const filter = ints(attrs, 'filterSize');
  return pads.every((amount) => amount === 0) && filter.every((size, i) => size === strides[i] && size <= large[i]!);
}

function enlarged(
  c: Lowering,
  x: string,
  filter: readonly number[],
  small: readonly number[],
  large: readonly number[],
): string {
  const scales = c.initializer('float32', [4], Float32Array.from([1, 1, ...filter]));
  const modes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
  const result = c.one('Resize', [x, '', scales], modes);
  const [bottom, right] = [0, 1].map((i) => large[i]! - small[i]! * filter[i]!) as [number, number];
  if (bottom === 0 && right === 0) return result;
  return c.one('Pad', [result, c.ints([0, 0, 0, 0, 0, 0, bottom, right])], { mode: 'constant' });
}

/** For overlapping windows: a transposed depthwise convolution with ones. */
function spread(c: Lowering, node: Node, share: string): string {
  const [dy, out] = [node.inputs[0]!, node.outputs[0]!];
  const channels = c.shapeOf(out)[3] as number;
  const filter = ints(node.attrs, 'filterSize') as [number, number];
  const ones = c.initializer(
    'float32',
    [channels, 1, ...filter],
    new Float32Array(channels * filter[0] * filter[1]).fill(1),
  );
  const [large, small] = [spatial(c.shapeOf(out)), spatial(c.shapeOf(dy))];
  return transposedConv(c, share, ones, large, small, filter, windowOf(node.attrs), channels);
}
