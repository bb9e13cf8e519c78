import { batchTimes, symbolicSize } from '../../../../graph/shapes.ts';
import type { Dim, Shape } from '../../../../graph/types.ts';
import { attr, axisOf, expectInt, floatAttr, ignore, intAttr, intsAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { rowOf } from './conv.ts';
import { defineImage, imageOf } from '../image.ts';

/** Number of elements of some axes. */
export function side(dims: Shape): Dim {
  const { factor, power } = symbolicSize(dims);
  return power === 0 ? factor : batchTimes(factor);
}

const softmax =
  (op: string): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const shape = c.shapeOf(x);
    const rank = shape.length;
    const axis = axisOf(intAttr(node, c, 'axis', c.opset >= 13 ? -1 : 1), rank, c);
    const output = node.outputs[0]!;
    if (axis === rank - 1) c.define(output, { plain: c.op(op, [c.plain(x)], { axis }) });
    else if (c.opset < 13) {
      // All axes from this one on are flattened.
      const rows = c.op('Reshape', [c.plain(x)], { shape: [side(shape.slice(0, axis)), side(shape.slice(axis))] });
      c.define(output, { plain: c.op('Reshape', [c.op(op, [rows], { axis: 1 })], { shape }) });
    } else if (rank === 4 && axis === 1) c.defineNhwc(output, c.op(op, [c.nhwc(x)], { axis: 3 }));
    else {
      const perm = shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
      const moved = c.op('Transpose', [c.plain(x)], { perm });
      c.define(output, { plain: c.op('Transpose', [c.op(op, [moved], { axis: rank - 1 })], { perm }) });
    }
  };

/** https://onnx.ai/onnx/operators/onnx__LayerNormalization.html */
const layerNorm: Importer = (node, c) => {
  const [x, scale, bias = ''] = node.inputs as [string, string, string?];
  const rank = c.shapeOf(x).length;
  const axis = axisOf(intAttr(node, c, 'axis', -1), rank, c);
  // 1: float32.
  expectInt(node, c, 'stash_type', 1);
  const axes = Array.from({ length: rank - axis }, (_, i) => axis + i);
  const { value, mean, inverse } = standardized(c, c.plain(x), axes, floatAttr(node, c, 'epsilon', 1e-5));
  const y = c.op('Multiply', [value, c.plain(scale)]);
  c.define(node.outputs[0]!, { plain: bias === '' ? y : c.op('Add', [y, c.plain(bias)]) });
  c.define(node.outputs[1] ?? '', { plain: mean });
  c.define(node.outputs[2] ?? '', { plain: inverse });
};

const batchNorm: Importer = (node, c) => {
  const [x, scale, offset, mean, variance] = node.inputs as [string, string, string, string, string];
  const hint = 'Export the model in evaluation mode.';
  const isTraining = intAttr(node, c, 'training_mode', 0) === 1;
  if ((isTraining || c.stored(mean) === undefined) && isOfStored(c, x)) {
    standardizedWeights(node, c);
    return;
  }
  if (isTraining) c.fail('it is in training mode', hint);
  // Training mode is an attribute before operator set 7; before 14, further outputs mean it too.
  const isTest = Number(attr(node, c, 'is_test', 'int') ?? 1) !== 0;
  if (!isTest || (c.opset < 14 && node.outputs.slice(1).some((name) => name !== '')))
    c.fail('it is in training mode: it gives the statistics of the batch too', hint);
  if (c.opset < 9) expectInt(node, c, 'spatial', 1);
  ignore(node, 'momentum');
  const rank = c.shapeOf(x).length;
  if (rank < 2 || rank > 4) c.fail(`of a tensor with ${rank} axes; expected [n, c], [n, c, l] or [n, c, h, w]`);
  const operands = [mean, variance, offset, scale].map((name) => rowOf(c, name, 'statistics'));
  const value = rank === 2 ? c.plain(x) : imageOf(c, x);
  const y = c.op('FusedBatchNorm', [value, ...operands], { epsilon: floatAttr(node, c, 'epsilon', 1e-5) });
  if (rank === 2) c.define(node.outputs[0]!, { plain: y });
  else defineImage(c, node.outputs[0]!, y, rank);
};

/** True for a value that is computed from stored numbers alone, such as weights in another shape. */
function isOfStored(c: Import, name: string): boolean {
  const isStored = (value: string): boolean =>
    c.builder.constantOf(value) !== undefined || (c.builder.producerOf(value)?.inputs.every(isStored) ?? false);
  return c.stored(name) !== undefined || isStored(c.plain(name));
}

/** Weights of a convolution, which the file standardizes for each output channel at every call, as PyTorch exports NFNets (Qiao et al. 2019, Brock et al. 2021). */
const standardizedWeights: Importer = (node, c) => {
  const [x, scale, offset, mean, variance] = node.inputs as [string, string, string, string, string];
  ignore(node, 'momentum');
  const isTraining = intAttr(node, c, 'training_mode', 0) === 1;
  const epsilon = floatAttr(node, c, 'epsilon', 1e-5);
  const axes = c.shapeOf(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const value = c.plain(x);
  const y = isTraining ? normalized(c, value, axes, epsilon) : centredBy(c, value, { mean, variance, epsilon });
  c.define(node.outputs[0]!, { plain: scaled(c, y, scale, offset) });
};

interface Statistics {
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
}

/** (x - mean) / sqrt(variance + epsilon) for each element of the second axis. */
function centredBy(c: Import, x: string, { mean, variance, epsilon }: Statistics): string {
  const [middle, spread] = [mean, variance].map((name) => ofChannels(c, name, x));
  const inverse = c.op('Rsqrt', [c.op('Add', [spread!, c.constant(Float32Array.of(epsilon), [])])]);
  return c.op('Multiply', [c.op('Sub', [x, middle!]), inverse]);
}

interface Standardized {
  readonly value: string;
  readonly mean: string;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: string;
}

/** (x - mean) / sqrt(variance + epsilon) over some axes. */
function standardized(c: Import, x: string, axes: readonly number[], epsilon: number): Standardized {
  const over = { axes: [...axes], keepDims: true };
  const mean = c.op('Mean', [x], over);
  const centred = c.op('Sub', [x, mean]);
  const variance = c.op('Mean', [c.op('Square', [centred])], over);
  const deviation = c.op('Add', [variance, c.constant(Float32Array.of(epsilon), [])]);
  const inverse = c.op('Rsqrt', [deviation]);
  return { value: c.op('Multiply', [centred, inverse]), mean, inverse };
}

function normalized(c: Import, x: string, axes: readonly number[], epsilon: number): string {
  return standardized(c, x, axes, epsilon).value;
}

/** A vector with a number for each element of the second axis of a value, in a shape that broadcasts. */
function ofChannels(c: Import, name: string, value: string): string {
  const { shape } = c.builder.typeOf(value);
  return c.op('Reshape', [c.plain(name)], { shape: shape.map((dim, i) => (i === 1 ? dim : 1)).slice(1) });
}

/** Scale and offset for each element of the second axis. */
function scaled(c: Import, value: string, scale: string, offset: string): string {
  const [factor, shift] = [scale, offset].map((name) => ofChannels(c, name, value));
  return c.op('Add', [c.op('Multiply', [value, factor!]), shift!]);
}

const instanceNorm: Importer = (node, c) => {
  const [x, scale, offset] = node.inputs as [string, string, string];
  const rank = c.shapeOf(x).length;
  if (rank < 3) c.fail(`of a tensor with ${rank} axes; expected [n, c, ...]`);
  const epsilon = floatAttr(node, c, 'epsilon', 1e-5);
  if (rank === 4 && c.liesChannelsLast(x)) {
    const y = normalized(c, c.nhwc(x), [1, 2], epsilon);
    c.defineNhwc(node.outputs[0]!, c.op('Add', [c.op('Multiply', [y, c.plain(scale)]), c.plain(offset)]));
    return;
  }
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  c.define(node.outputs[0]!, { plain: scaled(c, normalized(c, c.plain(x), axes, epsilon), scale, offset) });
};

/** Scale and offset are per group before operator set 21, per channel since. */
const groupNorm: Importer = (node, c) => {
  const [x, scale, offset] = node.inputs as [string, string, string];
  const shape = c.shapeOf(x);
  const [n, channels, ...rest] = shape as [Dim, number, ...Dim[]];
  const groups = intAttr(node, c, 'num_groups', 1);
  expectInt(node, c, 'stash_type', 1);
  const inner = side([channels / groups, ...rest]);
  const parts = c.op('Reshape', [c.plain(x)], { shape: [n, groups, inner] });
  const y = normalized(c, parts, [2], floatAttr(node, c, 'epsilon', 1e-5));
  const isByGroup = c.opset < 21;
  const whole = c.op('Reshape', [isByGroup ? scaled(c, y, scale, offset) : y], { shape });
  c.define(node.outputs[0]!, { plain: isByGroup ? whole : scaled(c, whole, scale, offset) });
};

/** (x - mean) / (deviation + 1e-9). */
const meanVariance: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const rank = c.shapeOf(x).length;
  const axes = (intsAttr(node, c, 'axes') ?? [0, 2, 3]).map((axis) => axisOf(axis, rank, c)).sort((a, b) => a - b);
  const over = { axes, keepDims: true };
  const value = c.plain(x);
  // As in ONNX Runtime's kernel; the specification's formula, mean of squares minus square of the mean, loses precision.
  const centred = c.op('Sub', [value, c.op('Mean', [value], over)]);
  const deviation = c.op('Sqrt', [c.op('Mean', [c.op('Square', [centred])], over)]);
  const small = c.constant(Float32Array.of(1e-9), []);
  c.define(node.outputs[0]!, { plain: c.op('RealDiv', [centred, c.op('Add', [deviation, small])]) });
};

/** Zhang & Sennrich 2019. */
const rmsNorm: Importer = (node, c) => {
  const [x, scale] = node.inputs as [string, string];
  const rank = c.shapeOf(x).length;
  const axis = axisOf(intAttr(node, c, 'axis', -1), rank, c);
  expectInt(node, c, 'stash_type', 1);
  const over = { axes: Array.from({ length: rank - axis }, (_, i) => axis + i), keepDims: true };
  const value = c.plain(x);
  const square = c.op('Mean', [c.op('Square', [value])], over);
  const epsilon = c.constant(Float32Array.of(floatAttr(node, c, 'epsilon', 1e-5)), []);
  const y = c.op('Multiply', [value, c.op('Rsqrt', [c.op('Add', [square, epsilon])])]);
  c.define(node.outputs[0]!, { plain: c.op('Multiply', [y, c.plain(scale)]) });
};

/** Krizhevsky et al. 2012: across channels. */
const localResponse: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const size = intAttr(node, c, 'size', 1);
  if (size % 2 === 0) c.fail(`its attribute size is ${size}, expected an odd one`);
  const [alpha, beta, bias] = [
    floatAttr(node, c, 'alpha', 1e-4),
    floatAttr(node, c, 'beta', 0.75),
    floatAttr(node, c, 'bias', 1),
  ];
  const attrs = { depthRadius: (size - 1) / 2, bias, alpha: alpha / size, beta };
  c.defineNhwc(node.outputs[0]!, c.op('LRN', [c.nhwc(x)], attrs));
};

export const normImporters: Readonly<Record<string, Importer>> = {
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
  LayerNormalization: layerNorm,
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  GroupNormalization: groupNorm,
  MeanVarianceNormalization: meanVariance,
  RMSNormalization: rmsNorm,
  LRN: localResponse,
};
