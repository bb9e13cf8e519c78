import { broadcast, staticShape } from '../shapes.ts';
import type { Attrs, Dim, TensorType } from '../types.ts';
import type { OpSpec } from './spec.ts';
import { expect, flag, ints, shapeAttr, show, type } from './spec.ts';

/** Output size of a (dilated) window of `filter` over `size`, padded by `before` and `after`, rounded down. */
export function windowed(
  size: number,
  filter: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
): number {
  return Math.floor((size + before + after - (filter - 1) * dilation - 1) / stride) + 1;
}

/** Spatial output sizes [height, width] of a 2-D window op. `pads`: top, bottom, left, right. */
function windowedShape(x: TensorType, filter: readonly number[], attrs: Attrs): [number, number] {
  const [strides, dilations, pads] = [ints(attrs, 'strides'), ints(attrs, 'dilations'), ints(attrs, 'pads')];
  const [height, width] = [x.shape[1], x.shape[2]];
  expect(x.shape.length === 4, `expected [batch, height, width, channels], received ${show(x.shape)}`);
  expect(typeof height === 'number' && typeof width === 'number', 'height and width must be fixed');
  const out: [number, number] = [
    windowed(height, filter[0]!, strides[0]!, dilations[0]!, pads[0]!, pads[1]!),
    windowed(width, filter[1]!, strides[1]!, dilations[1]!, pads[2]!, pads[3]!),
  ];
  expect(out[0] > 0 && out[1] > 0, `a window of [${filter[0]}, ${filter[1]}] does not fit into ${show(x.shape)}`);
  return out;
}

const window2d = { strides: 'ints', dilations: 'ints', pads: 'ints' } as const;
const pool2d = { filterSize: 'ints', ...window2d } as const;

const pool: OpSpec = {
  inputs: ['x'],
  attrs: pool2d,
  infer: ([x], attrs) => [
    type(x!.dtype, [x!.shape[0]!, ...windowedShape(x!, ints(attrs, 'filterSize'), attrs), x!.shape[3]!]),
  ],
};

/** A pooling without dilation: a dilated average is a convolution, and gradients need none. */
const undilated = (spec: OpSpec): OpSpec => ({
  ...spec,
  infer: (inputs, attrs) => {
    const dilations = ints(attrs, 'dilations');
    expect(
      dilations.every((dilation) => dilation === 1),
      `expected dilations of 1, received ${show(dilations)}`,
    );
    return spec.infer(inputs, attrs);
  },
});

/** Shape of a convolution with a filter [height, width, channels, last] and `outOf(channels, last)` output channels. */
const convolved =
  (outOf: (channels: number, last: number) => number): OpSpec['infer'] =>
  ([x, filter], attrs) => {
    const [height, width, channels, last] = staticShape(filter!.shape, 'the filter') as [
      number,
      number,
      number,
      number,
    ];
    expect(
      x!.shape[3] === channels,
      `the input ${show(x!.shape)} has not the ${channels} channels of the filter ${show(filter!.shape)}`,
    );
    const out = outOf(channels, last);
    return [type(x!.dtype, [x!.shape[0]!, ...windowedShape(x!, [height, width], attrs), out])];
  };

const fromAttr =
  (name: string): OpSpec['infer'] =>
  ([first], attrs) => [type(first!.dtype, shapeAttr(attrs, name))];

export const linear = {
  /** Any rank from 2 up; leading axes broadcast. */
  BatchMatMul: {
    inputs: ['a', 'b'],
    attrs: { transposeA: 'bool', transposeB: 'bool' },
    infer: ([a, b], attrs) => {
      const [rows, innerA] = matrix(a!, flag(attrs, 'transposeA'));
      const [innerB, columns] = matrix(b!, flag(attrs, 'transposeB'));
      expect(innerA === innerB, `inner sizes differ: ${show(a!.shape)} and ${show(b!.shape)}`);
      return [type(a!.dtype, [...broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), rows, columns])];
    },
    product: 'matrix',
  },
  /**
   * One direction of an LSTM: y, as other nodes compute it, is passed on. Training computes it from x [steps, batch, inputs], weights [4 · hidden,
   * inputs], recurrence [4 · hidden, hidden] and bias [4 · hidden] instead: the hidden values of all steps, or those after the last one.
   */
  Lstm: {
    inputs: ['y', 'x', 'weights', 'recurrence', 'bias?'],
    attrs: { reversed: 'bool', whole: 'bool' },
    infer: ([y]) => [y!],
    handsOn: 'kept',
    zero: 'first',
  },
  /** x: [batch, height, width, in], filter: [height, width, in, out]; `pads`: top, bottom, left, right. */
  Conv2D: {
    inputs: ['x', 'filter'],
    attrs: window2d,
    infer: convolved((_channels, out) => out),
    product: 'convolution',
  },
  /** dy: output gradient, filter as for Conv2D. Also the forward op of a transposed convolution. */
  Conv2DBackpropInput: {
    inputs: ['dy', 'filter'],
    attrs: { ...window2d, inputShape: 'shape' },
    infer: fromAttr('inputShape'),
    product: 'input gradient',
  },
  Conv2DBackpropFilter: {
    inputs: ['x', 'dy'],
    attrs: { ...window2d, filterShape: 'ints' },
    infer: fromAttr('filterShape'),
    product: 'filter gradient',
  },
  /** filter: [height, width, in, multiplier]; out channels = in · multiplier, channel-major. */
  DepthwiseConv2dNative: {
    inputs: ['x', 'filter'],
    attrs: window2d,
    infer: convolved((channels, multiplier) => channels * multiplier),
    product: 'convolution',
  },
  DepthwiseConv2dNativeBackpropInput: {
    inputs: ['dy', 'filter'],
    attrs: { ...window2d, inputShape: 'shape' },
    infer: fromAttr('inputShape'),
    product: 'input gradient',
  },
  DepthwiseConv2dNativeBackpropFilter: {
    inputs: ['x', 'dy'],
    attrs: { ...window2d, filterShape: 'ints' },
    infer: fromAttr('filterShape'),
    product: 'filter gradient',
  },
  MaxPool: { ...pool, handsOn: 'chosen' },
  /** Padding does not count in the averages. */
  AvgPool: { ...undilated(pool), handsOn: 'averaged' },
  /** The first maximum of each window, row by row, gets its gradient. */
  MaxPoolGrad: undilated({ inputs: ['dy', 'x', 'y'], attrs: pool2d, infer: ([, x]) => [x!] }),
  AvgPoolGrad: undilated({
    inputs: ['dy'],
    attrs: { ...pool2d, inputShape: 'shape' },
    infer: fromAttr('inputShape'),
  }),
} satisfies Record<string, OpSpec>;

function matrix(t: TensorType, transpose: boolean): [Dim, Dim] {
  expect(t.shape.length >= 2, `a matrix product needs rank 2 or more, received ${show(t.shape)}`);
  const [rows, columns] = [t.shape.at(-2)!, t.shape.at(-1)!];
  return transpose ? [columns, rows] : [rows, columns];
}
