import type { Shape } from '../../../graph/types.ts';
import { permutedTensor } from '../tensor.ts';
import type { LoweringContext, TfliteLowering } from './context.ts';
import type { Axis } from './window.ts';
import { neededAfter, PADDING, paddingScheme } from './window.ts';

const HINT_FIXED = 'Export the trained model, where weights are constants; move this computation out of the model.';

/** The node's two window axes; `size` and `out`: spatial sizes before and after striding. */
function axes(c: LoweringContext, size: Shape, out: Shape, filter: readonly number[]): [Axis, Axis] {
  const [strides, dilations, pads] = [c.ints('strides'), c.ints('dilations'), c.ints('pads')];
  return [0, 1].map((i) => ({
    size: size[i + 1] as number,
    out: out[i + 1] as number,
    window: (filter[i]! - 1) * dilations[i]! + 1,
    stride: strides[i]!,
    before: pads[2 * i]!,
  })) as [Axis, Axis];
}

/** The input, padded unless TFLite's own paddings fit, and the operator's padding. */
function padded(c: LoweringContext, x: string, [h, w]: [Axis, Axis], value?: number): { x: string; padding: number } {
  const scheme = paddingScheme([h, w]);
  if (scheme !== undefined) return { x, padding: PADDING[scheme] };
  const amounts = [0, 0, h.before, neededAfter(h), w.before, neededAfter(w), 0, 0];
  const shape = c
    .shape(x)
    .map((dim, i) => (typeof dim === 'number' ? dim + amounts[2 * i]! + amounts[2 * i + 1]! : dim));
  const paddings = c.program.constant({ dtype: 'int32', shape: [4, 2] }, Int32Array.from(amounts), 'paddings');
  const type = { dtype: c.type(x).dtype, shape };
  if (value === undefined) return { x: c.temp('PAD', [x, paddings], type), padding: PADDING.VALID };
  return { x: c.temp('PADV2', [x, paddings, c.program.float(value)], type), padding: PADDING.VALID };
}

/** A constant filter with its axes permuted to TFLite's order, including the axis of its scales. */
function filterConstant(c: LoweringContext, name: string, perm: readonly number[], shape?: readonly number[]): string {
  const { data, type, quantization } = c.program.value(name);
  if (data === undefined) c.fail('has a filter that is computed', HINT_FIXED);
  const from = type.shape as readonly number[];
  const to = shape ?? perm.map((p) => from[p]!);
  const filter = c.program.constant({ dtype: type.dtype, shape: to }, permutedTensor(data, from, perm), name);
  if (quantization !== undefined) {
    const { axis } = quantization;
    const moved =
      axis === undefined ? quantization : { ...quantization, axis: shape ? to.length - 1 : perm.indexOf(axis) };
    c.program.values.set(filter, { ...c.program.value(filter), quantization: moved });
  }
  return filter;
}

function window2d(c: LoweringContext, padding: number): Record<string, unknown> {
  const [strides, dilations] = [c.ints('strides'), c.ints('dilations')];
  return {
    padding,
    strideH: strides[0],
    strideW: strides[1],
    dilationHFactor: dilations[0],
    dilationWFactor: dilations[1],
  };
}

/** Filters change from [height, width, in, out] to [out, height, width, in]. */
function conv2d(c: LoweringContext): void {
  const filterShape = c.shape(c.input(1)) as readonly number[];
  const { x, padding } = padded(c, c.input(0), axes(c, c.shape(c.input(0)), c.out().shape, filterShape));
  const filter = filterConstant(c, c.input(1), [3, 0, 1, 2]);
  c.emit('CONV_2D', [x, filter, ''], { type$: 'Conv2DOptions', ...window2d(c, padding) });
}

/** Filters change from [height, width, in, multiplier] to [1, height, width, in · multiplier]. */
function depthwise(c: LoweringContext): void {
  const shape = c.shape(c.input(1)) as readonly [number, number, number, number];
  const [height, width, channels, depthMultiplier] = shape;
  const { x, padding } = padded(c, c.input(0), axes(c, c.shape(c.input(0)), c.out().shape, shape));
  const filter = filterConstant(c, c.input(1), [0, 1, 2, 3], [1, height, width, channels * depthMultiplier]);
  const options = { type$: 'DepthwiseConv2DOptions', depthMultiplier, ...window2d(c, padding) };
  c.emit('DEPTHWISE_CONV_2D', [x, filter, ''], options);
}

/** A transposed convolution. Filters change from [height, width, out, in] (a Conv2D's, reversed) to [out, height, width, in]. */
function transposeConv(c: LoweringContext): void {
  const [dy, filterName, out] = [c.input(0), c.input(1), c.out()];
  if (c.ints('dilations').some((dilation) => dilation !== 1))
    c.fail('is dilated, which TFLite does not know', 'Use a dilation of 1.');
  const filterShape = c.shape(filterName) as readonly number[];
  const [h, w] = axes(c, out.shape, c.shape(dy), filterShape);
  const filter = filterConstant(c, filterName, [2, 0, 1, 3]);
  const options = (padding: number): Record<string, unknown> => ({
    type$: 'TransposeConvOptions',
    padding,
    strideH: h.stride,
    strideW: w.stride,
  });
  const scheme = paddingScheme([h, w]);
  if (scheme !== undefined) {
    c.emit('TRANSPOSE_CONV', [c.shapeValue(out.shape, dy), filter, dy, ''], options(PADDING[scheme]));
    return;
  }
  const whole = [h, w].map(({ out: n, stride, window }) => (n - 1) * stride + window);
  const grown = [
    out.shape[0]!,
    Math.max(whole[0]!, h.before + h.size),
    Math.max(whole[1]!, w.before + w.size),
    out.shape[3]!,
  ];
  if (grown[1] !== whole[0] || grown[2] !== whole[1])
    c.fail('asks for an output larger than its windows reach', 'Choose an output padding of 0.');
  const type = { dtype: out.dtype, shape: grown };
  const full = c.temp('TRANSPOSE_CONV', [c.shapeValue(grown, dy), filter, dy, ''], type, options(PADDING.VALID));
  const begin = c.program.ints([0, h.before, w.before, 0], 'begin');
  c.emit('SLICE', [full, begin, c.program.ints([-1, h.size, w.size, -1], 'size')]);
}

/** Matrix product. With a constant right factor it becomes a fully connected layer, whose weights are [out, in]. */
function matMul(c: LoweringContext): void {
  const [a, b] = [c.input(0), c.input(1)];
  const [transposeA, transposeB] = [c.attr<boolean>('transposeA'), c.attr<boolean>('transposeB')];
  const shape = c.shape(b);
  const flat = shape.slice(0, -2).every((dim) => dim === 1) && c.shape(a).length >= shape.length;
  const data = c.data(b);
  if (data === undefined || !flat || transposeA || c.type(b).dtype !== 'float32') {
    c.emit('BATCH_MATMUL', [a, b], { type$: 'BatchMatMulOptions', adjX: transposeA, adjY: transposeB });
    return;
  }
  const rank = shape.length;
  const dims = shape.slice(-2) as [number, number];
  const perm = [...shape.slice(0, -2).keys(), ...(transposeB ? [rank - 2, rank - 1] : [rank - 1, rank - 2])];
  const filter = filterConstant(c, b, perm, transposeB ? dims : [dims[1], dims[0]]);
  const keepNumDims = c.shape(a).length > 2;
  c.emit('FULLY_CONNECTED', [a, filter, ''], {
    type$: 'FullyConnectedOptions',
    ...(keepNumDims ? { keepNumDims } : {}),
  });
}

function pool(c: LoweringContext, op: 'MAX_POOL_2D' | 'AVERAGE_POOL_2D'): void {
  if (c.ints('dilations').some((dilation) => dilation !== 1))
    c.fail('is dilated, which TFLite does not know', 'Use a dilation of 1.');
  const filter = c.ints('filterSize');
  const [h, w] = axes(c, c.shape(c.input(0)), c.out().shape, filter);
  const { x, padding } = padded(c, c.input(0), [h, w], op === 'MAX_POOL_2D' ? -3.4028234663852886e38 : undefined);
  const options = {
    type$: 'Pool2DOptions',
    padding,
    strideH: h.stride,
    strideW: w.stride,
    filterHeight: filter[0],
    filterWidth: filter[1],
  };
  if (op === 'MAX_POOL_2D' || x === c.input(0)) {
    c.emit(op, [x], options);
    return;
  }
  // To exclude padding zeros, each mean is scaled by the window size over the number of pixels inside.
  const mean = c.temp(op, [x], c.out(), options);
  const factors = Float32Array.from({ length: h.out * w.out }, (_, i) => {
    return (h.window * w.window) / (inside(h, Math.floor(i / w.out)) * inside(w, i % w.out));
  });
  c.emitBinary('MUL', mean, c.program.constant({ dtype: 'float32', shape: [h.out, w.out, 1] }, factors, 'counts'));
}

function inside({ size, window, stride, before }: Axis, i: number): number {
  const start = i * stride - before;
  return Math.min(size, start + window) - Math.max(0, start);
}

export const linear: Readonly<Record<string, TfliteLowering>> = {
  Lstm: (c) => c.same(c.input(0)),
  BatchMatMul: matMul,
  Conv2D: conv2d,
  DepthwiseConv2dNative: depthwise,
  Conv2DBackpropInput: transposeConv,
  MaxPool: (c) => pool(c, 'MAX_POOL_2D'),
  AvgPool: (c) => pool(c, 'AVERAGE_POOL_2D'),
};
