import * as tf from '@tensorflow/tfjs-core';
import type { Attrs } from '../../graph/types.ts';
import type { Value } from '../value.ts';
import { op } from '../value.ts';
import { activate } from './matmul.ts';
import type { Attributes, Row, Table } from './table.ts';
import { reshape, sizeOfShape, transpose } from './table.ts';

type Info = tf.backend_util.Conv2DInfo;

const TO_NHWC = [0, 2, 3, 1];
const TO_NCHW = [0, 3, 1, 2];

function channelsFirst(attrs: Attributes): boolean {
  return attrs.dataFormat === 'NCHW';
}

function toLast(x: Value, attrs: Attributes): Value {
  return channelsFirst(attrs) ? transpose(x, TO_NHWC) : x;
}

function fromLast(x: Value, attrs: Attributes): Value {
  return channelsFirst(attrs) ? transpose(x, TO_NCHW) : x;
}

function convInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: Attributes,
  depthwise: boolean,
): Info {
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides as number,
    (attrs.dilations as number | null | undefined) ?? 1,
    padding(attrs) as 'same',
    attrs.dimRoundingMode as 'floor',
    depthwise,
    'channelsLast',
  );
}

/** Explicit paddings follow the order of the data's axes. */
function padding(attrs: Attributes): unknown {
  const pad = attrs.pad as unknown;
  return channelsFirst(attrs) && Array.isArray(pad) ? TO_NHWC.map((i) => pad[i] as unknown) : pad;
}

/** Strides, dilations and paddings as numbers; rounding up adds padding at the far edges. */
export function kernelWindow(info: Info): Attrs {
  const { top, bottom, left, right } = info.padInfo;
  const needed = (out: number, size: number, stride: number, window: number, before: number, after: number): number =>
    Math.max(after, (out - 1) * stride + window - size - before);
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [
      top,
      needed(info.outHeight, info.inHeight, info.strideHeight, info.effectiveFilterHeight, top, bottom),
      left,
      needed(info.outWidth, info.inWidth, info.strideWidth, info.effectiveFilterWidth, left, right),
    ],
  };
}

function lastShape(shape: readonly number[], attrs: Attributes): number[] {
  return channelsFirst(attrs) ? TO_NHWC.map((i) => shape[i]!) : [...shape];
}

function forward(name: string, x: Value, filter: Value, attrs: Attributes): Value {
  const info = convInfo(x.type.shape, filter.type.shape, attrs, name !== 'Conv2D');
  return op(name, [x, filter], kernelWindow(info));
}

const plain =
  (name: string): Row =>
  ({ x, filter }, attrs) =>
    fromLast(forward(name, toLast(x!, attrs), filter!, attrs), attrs);

const fused =
  (name: string): Row =>
  ({ x, filter, bias, preluActivationWeights }, attrs) => {
    const y = forward(name, toLast(x!, attrs), filter!, attrs);
    const last = (value: Value): Value =>
      channelsFirst(attrs) && value.type.shape.length === 3
        ? transpose(value, [1, 2, 0])
        : value.type.shape.length === 4
          ? toLast(value, attrs)
          : value;
    const slope = preluActivationWeights === undefined ? undefined : last(preluActivationWeights);
    return fromLast(activate(bias === undefined ? y : op('Add', [y, perChannel(bias, y)]), attrs, slope), attrs);
  };

/** A bias per channel, without tfjs' axes of size 1. */
function perChannel(bias: Value, y: Value): Value {
  const channels = y.type.shape.at(-1)!;
  return sizeOfShape(bias.type.shape) === channels ? reshape(bias, [channels]) : bias;
}

const backpropInput =
  (name: string, depthwise: boolean): Row =>
  ({ dy, filter }, attrs) => {
    const inputShape = lastShape(attrs.inputShape as number[], attrs);
    const info = convInfo(inputShape, filter!.type.shape, attrs, depthwise);
    const dx = op(name, [toLast(dy!, attrs), filter!], { ...kernelWindow(info), inputShape });
    return fromLast(dx, attrs);
  };

const backpropFilter =
  (name: string, depthwise: boolean): Row =>
  ({ x, dy }, attrs) => {
    const filterShape = attrs.filterShape as number[];
    const last = toLast(x!, attrs);
    const info = convInfo(last.type.shape, filterShape, attrs, depthwise);
    return op(name, [last, toLast(dy!, attrs)], { ...kernelWindow(info), filterShape });
  };

export const conv: Table = {
  Conv2D: plain('Conv2D'),
  FusedConv2D: fused('Conv2D'),
  Conv2DBackpropInput: backpropInput('Conv2DBackpropInput', false),
  Conv2DBackpropFilter: backpropFilter('Conv2DBackpropFilter', false),
  DepthwiseConv2dNative: plain('DepthwiseConv2dNative'),
  FusedDepthwiseConv2D: fused('DepthwiseConv2dNative'),
  DepthwiseConv2dNativeBackpropInput: backpropInput('DepthwiseConv2dNativeBackpropInput', true),
  DepthwiseConv2dNativeBackpropFilter: backpropFilter('DepthwiseConv2dNativeBackpropFilter', true),
};
