import { transposeData } from '../lower/layout.ts';
import type { OnnxNode } from '../model.ts';
import type { Import, Importer } from './context.ts';
import { attr, floatAttr, intAttr, intsAttr } from './context.ts';

interface Window {
  readonly strides: number[];
  readonly dilations: number[];
  /** Top, bottom, left, right. */
  readonly pads: number[];
}

/** Strides, dilations and padding of a window op over [height, width]. */
function windowOf(node: OnnxNode, c: Import, kernel: readonly number[], size: readonly number[]): Window {
  const strides = intsAttr(node, 'strides') ?? [1, 1];
  const dilations = intsAttr(node, 'dilations') ?? [1, 1];
  const auto = (attr(node, 'auto_pad') as string | undefined) ?? 'NOTSET';
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const pads = [0, 1].flatMap((i) => {
      const reach = (kernel[i]! - 1) * dilations[i]! + 1;
      const total = Math.max(0, (Math.ceil(size[i]! / strides[i]!) - 1) * strides[i]! + reach - size[i]!);
      const less = Math.floor(total / 2);
      return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
    });
    return { strides, dilations, pads };
  }
  const [top, left, bottom, right] = auto === 'VALID' ? [0, 0, 0, 0] : (intsAttr(node, 'pads') ?? [0, 0, 0, 0]);
  const pads = [top!, bottom!, left!, right!];
  if (intAttr(node, 'ceil_mode', 0) === 1) {
    for (const i of [0, 1]) {
      const span = size[i]! + pads[2 * i]! + pads[2 * i + 1]! - (kernel[i]! - 1) * dilations[i]! - 1;
      let windows = Math.ceil(span / strides[i]!) + 1;
      if ((windows - 1) * strides[i]! >= size[i]! + pads[2 * i]!) windows--;
      pads[2 * i + 1]! += Math.max(0, (windows - 1) * strides[i]! - span);
    }
  }
  if (strides.length !== 2) c.fail(`expected windows over height and width, received ${strides.length} axes`);
  return { strides, dilations, pads };
}

function spatialOf(c: Import, name: string): number[] {
  const shape = c.shapeOf(name);
  if (shape.length !== 4) c.fail(`expected a tensor [n, c, h, w], received [${shape.join(', ')}]`);
  return shape.slice(2) as number[];
}

const conv: Importer = (node, c) => {
  const [x, weights, bias = ''] = node.inputs as [string, string, string?];
  const { data, shape } = c.weights(weights, 'filter');
  const [out, inner, height, width] = shape as [number, number, number, number];
  const size = spatialOf(c, x);
  const window = windowOf(node, c, [height, width], size);
  const channels = c.shapeOf(x)[1] as number;
  const group = intAttr(node, 'group', 1);
  let result: string;
  if (group === 1) {
    const filter = c.constant(
      transposeData(data, shape, [2, 3, 1, 0]) as Float32Array,
      [height, width, inner, out],
      weights,
    );
    result = c.op('Conv2D', [c.nhwc(x), filter], { ...window });
  } else if (group === channels && inner === 1) {
    const lying = [channels, out / channels, height, width];
    const moved = transposeData(data, lying, [2, 3, 0, 1]) as Float32Array;
    const filter = c.constant(moved, [height, width, channels, out / channels], weights);
    result = c.op('DepthwiseConv2dNative', [c.nhwc(x), filter], { ...window });
  } else return c.fail(`${group} groups of ${channels} channels; expected 1 group, or one for each channel`);
  c.defineNhwc(node.outputs[0]!, bias === '' ? result : c.op('Add', [result, rowOf(c, bias, 'bias')]));
};

/** A stored tensor of one value for each channel. */
function rowOf(c: Import, name: string, what: string): string {
  const { data } = c.weights(name, what);
  return c.constant(data, [data.length], name);
}

const gemm: Importer = (node, c) => {
  const [a, b, bias = ''] = node.inputs as [string, string, string?];
  const [alpha, beta] = [floatAttr(node, 'alpha', 1), floatAttr(node, 'beta', 1)];
  const flags = { transposeA: intAttr(node, 'transA', 0) === 1, transposeB: intAttr(node, 'transB', 0) === 1 };
  let y = c.op('BatchMatMul', [c.plain(a), c.plain(b)], flags);
  if (alpha !== 1) y = c.op('Multiply', [y, c.constant(Float32Array.of(alpha), [])]);
  if (bias !== '') {
    const stored = c.stored(bias);
    const columns = c.builder.typeOf(y).shape[1];
    let added = c.plain(bias);
    if (stored !== undefined && stored.data.length === columns) added = rowOf(c, bias, 'bias');
    if (beta !== 1) added = c.op('Multiply', [added, c.constant(Float32Array.of(beta), [])]);
    y = c.op('Add', [y, added]);
  }
  c.define(node.outputs[0]!, { plain: y });
};

const matMul: Importer = (node, c) => {
  const [a, b] = node.inputs as [string, string];
  if (c.shapeOf(a).length < 2 || c.shapeOf(b).length < 2) c.fail('a product with a vector; expected matrices');
  const y = c.op('BatchMatMul', [c.plain(a), c.plain(b)], { transposeA: false, transposeB: false });
  c.define(node.outputs[0]!, { plain: y });
};

const batchNorm: Importer = (node, c) => {
  const [x, scale, offset, mean, variance] = node.inputs as [string, string, string, string, string];
  if (intAttr(node, 'training_mode', 0) === 1) c.fail('in training mode', 'Export the model in evaluation mode.');
  const rank = c.shapeOf(x).length;
  if (rank !== 4 && rank !== 2) c.fail(`of a tensor with ${rank} axes; expected [n, c] or [n, c, h, w]`);
  const operands = [mean, variance, offset, scale].map((name) => rowOf(c, name, 'statistics'));
  const value = rank === 4 ? c.nhwc(x) : c.plain(x);
  const y = c.op('FusedBatchNorm', [value, ...operands], { epsilon: floatAttr(node, 'epsilon', 1e-5) });
  c.define(node.outputs[0]!, rank === 4 ? { nhwc: y } : { plain: y });
};

const pool =
  (op: 'MaxPool' | 'AvgPool'): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    if (node.outputs.length > 1) c.fail('it gives indices too');
    const filterSize = intsAttr(node, 'kernel_shape')!;
    const window = windowOf(node, c, filterSize, spatialOf(c, x));
    let value = c.nhwc(x);
    const isPadded = window.pads.some((amount) => amount !== 0);
    if (op === 'AvgPool' && isPadded && intAttr(node, 'count_include_pad', 0) === 1) {
      const [top, bottom, left, right] = window.pads as [number, number, number, number];
      value = c.op('Pad', [value], { paddings: [0, 0, top, bottom, left, right, 0, 0], constantValue: 0 });
      window.pads.fill(0);
    }
    c.defineNhwc(node.outputs[0]!, c.op(op, [value], { filterSize, ...window }));
  };

const globalPool =
  (op: 'Mean' | 'Max'): Importer =>
  (node, c) => {
    spatialOf(c, node.inputs[0]!);
    c.defineNhwc(node.outputs[0]!, c.op(op, [c.nhwc(node.inputs[0]!)], { axes: [1, 2], keepDims: true }));
  };

export const linearImporters: Readonly<Record<string, Importer>> = {
  Conv: conv,
  Gemm: gemm,
  MatMul: matMul,
  BatchNormalization: batchNorm,
  MaxPool: pool('MaxPool'),
  AveragePool: pool('AvgPool'),
  GlobalAveragePool: globalPool('Mean'),
  GlobalMaxPool: globalPool('Max'),
};
