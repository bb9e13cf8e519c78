import { staticSize } from '../../../graph/shapes.ts';
import { ints } from '../../../graph/ops/spec.ts';
import type { Attrs, Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { transposedConv } from './conv.ts';
import { NCHW, permuted } from './layout.ts';
import { extent, floatOperand, onnxPads, spatial, windowOf } from './window.ts';

function poolAttrs(attrs: Attrs): Record<string, readonly number[]> {
  const { strides, dilations, pads } = windowOf(attrs);
  return {
    ...{ kernel_shape: ints(attrs, 'filterSize'), strides, pads: onnxPads(pads) },
    ...(dilations.every((dilation) => dilation === 1) ? {} : { dilations }),
  };
}

function sameWindow(a: Attrs, b: Attrs): boolean {
  return ['filterSize', 'strides', 'dilations', 'pads'].every((name) => ints(a, name).join() === ints(b, name).join());
}

export const maxPool: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const { dtype } = c.typeOf(x);
  const operand = floatOperand(c, c.as(x, NCHW), dtype);
  const grad = c.consumersOf(x).find(({ op, inputs, attrs }) => {
    return op === 'MaxPoolGrad' && inputs[1] === x && sameWindow(attrs, node.attrs);
  });
  const result =
    grad === undefined
      ? c.one('MaxPool', [operand], poolAttrs(node.attrs))
      : withIndices(c, x, poolOnly(node.attrs)).values;
  c.define(out, dtype.startsWith('float') ? result : c.cast(result, dtype), NCHW);
};

/** Maxima and where they lie in the flattened NCHW tensor: the first of equals, row by row. */
function withIndices(c: Lowering, x: string, attrs: Attrs): { values: string; indices: string } {
  const names = c.once(`max pool ${x} ${JSON.stringify(attrs)}`, () =>
    c.emit('MaxPool', [floatOperand(c, c.as(x, NCHW), c.typeOf(x).dtype)], poolAttrs(attrs), 2).join(' '),
  );
  const [values, indices] = names.split(' ');
  return { values: values!, indices: indices! };
}

export const maxPoolGrad: Rule = (node, c) => {
  const [dy, x] = node.inputs as [string, string];
  const { indices } = withIndices(c, x, poolOnly(node.attrs));
  const shape = permuted(c.shapeOf(x), NCHW);
  const flat = c.ints([-1]);
  const total = shape.every((dim) => typeof dim === 'number')
    ? c.ints([staticSize(shape)])
    : c.one('ReduceProd', [c.shapeVector(shape)], { keepdims: 1 });
  const zeros = c.one('Expand', [c.scalar('float32', 0), total]);
  const [where, amounts] = [indices, c.as(dy, NCHW)].map((tensor) => c.one('Reshape', [tensor, flat]));
  const sum = c.one('ScatterElements', [zeros, where!, amounts!], { axis: 0, reduction: 'add' });
  c.define(node.outputs[0]!, c.reshape(sum, [], shape), NCHW);
};

function poolOnly({ filterSize, strides, dilations, pads }: Attrs): Attrs {
  return { filterSize: filterSize!, strides: strides!, dilations: dilations!, pads: pads! };
}

export const avgPool: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const { dtype } = c.typeOf(x);
  const attrs = { ...poolAttrs(node.attrs), count_include_pad: 0 };
  const result = c.one('AveragePool', [floatOperand(c, c.as(x, NCHW), dtype)], attrs);
  c.define(out, dtype.startsWith('float') ? result : c.cast(result, dtype), NCHW);
};

/** How many elements of the input each window of a pooling covers, row by row. */
function windowCounts(large: readonly number[], small: readonly number[], attrs: Attrs): Float32Array {
  const { strides, dilations, pads } = windowOf(attrs);
  const filter = ints(attrs, 'filterSize');
  const covered = (i: 0 | 1): number[] =>
    Array.from({ length: small[i]! }, (_, at) => {
      const from = at * strides[i] - pads[2 * i]!;
      return Array.from({ length: filter[i]! }, (_, k) => from + k * dilations[i]).filter(
        (p) => p >= 0 && p < large[i]!,
      ).length;
    });
  const columns = covered(1);
  return Float32Array.from(covered(0).flatMap((rows) => columns.map((count) => rows * count)));
}

export const avgPoolGrad: Rule = (node, c) => {
  const [dy, out] = [node.inputs[0]!, node.outputs[0]!];
  const [large, small] = [spatial(c.shapeOf(out)), spatial(c.shapeOf(dy))];
  const counts = windowCounts(large, small, node.attrs);
  const share = c.one('Div', [c.as(dy, NCHW), c.initializer('float32', [1, 1, ...small], counts)]);
  const filter = ints(node.attrs, 'filterSize') as [number, number];
  c.define(out, tiles(node, large) ? enlarged(c, share, filter, small, large) : spread(c, node, share), NCHW);
};

/** Whether windows lie side by side, without overlap, gap or padding. */
function tiles({ attrs }: Node, large: readonly number[]): boolean {
  const { strides, dilations, pads } = windowOf(attrs);
  const filter = ints(attrs, 'filterSize');
  return (
    pads.every((amount) => amount === 0) &&
    filter.every((size, i) => extent(size, dilations[i]!) === size && size === strides[i] && size <= large[i]!)
  );
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

/** Overlapping windows: a transposed depthwise convolution with ones. */
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
