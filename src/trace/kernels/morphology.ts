import * as tf from '@tensorflow/tfjs-core';
import type { Value } from '../value.ts';
import { op } from '../value.ts';
import type { Attributes, Table } from './table.ts';
import { concat, constant, reshape, scalar } from './table.ts';
import type { Windows } from './windows.ts';
import { firstBest, largest, LOWEST, offsets, taps, untap } from './windows.ts';

type Shape4 = [number, number, number, number];

function windowsOf(info: tf.backend_util.Conv2DInfo): Windows {
  return {
    input: [info.inHeight, info.inWidth],
    output: [info.outHeight, info.outWidth],
    filter: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.top, info.padInfo.left],
  };
}

function dilation(x: Value, filter: Value, attrs: Attributes): Windows {
  const info = tf.backend_util.computeDilation2DInfo(
    x.type.shape as unknown as Shape4,
    filter.type.shape as unknown as [number, number, number],
    attrs.strides as number,
    attrs.pad as 'same',
    'NHWC',
    attrs.dilations as number,
  );
  return windowsOf(info);
}

/** x plus the filter at each tap: dilation is their maximum. */
function raised(x: Value, filter: Value, windows: Windows): Value[] {
  const [, width, channels] = filter.type.shape as [number, number, number];
  return taps(x, windows, LOWEST / 2).map((value, t) => {
    const at = [Math.floor(t / width), t % width, 0];
    return op('Add', [value, reshape(op('Slice', [filter], { begin: at, size: [1, 1, channels] }), [channels])]);
  });
}

/** Gives each output's gradient to the first tap with the maximum. */
function shares({ x, filter, dy }: Readonly<Record<string, Value>>, windows: Windows): Value[] {
  const values = raised(x!, filter!, windows);
  return firstBest(values, largest(values)).map((first) => op('Select', [first, dy!, scalar(0)]));
}

export const morphology: Table = {
  Dilation2D: ({ x, filter }, attrs) => largest(raised(x!, filter!, dilation(x!, filter!, attrs))),
  Dilation2DBackpropInput: (inputs, attrs) => {
    const windows = dilation(inputs.x!, inputs.filter!, attrs);
    return untap(shares(inputs, windows), windows);
  },
  Dilation2DBackpropFilter: (inputs, attrs) => {
    const windows = dilation(inputs.x!, inputs.filter!, attrs);
    const sums = shares(inputs, windows).map((share) => op('Sum', [share], { axes: [0, 1, 2], keepDims: false }));
    return reshape(concat(sums, 0), inputs.filter!.type.shape);
  },
  MaxPoolWithArgmax: ({ x }, attrs) => {
    const shape = x!.type.shape as unknown as Shape4;
    tf.util.assert(shape.length === 4, () => `maxPoolWithArgmax: x must be rank 4 but got rank ${shape.length}.`);
    const info = tf.backend_util.computePool2DInfo(
      shape,
      attrs.filterSize as number,
      attrs.strides as number,
      1,
      attrs.pad as 'same',
    );
    const windows = windowsOf(info);
    const values = taps(x!, windows, LOWEST);
    const best = largest(values);
    const indices = positions(info, windows, attrs.includeBatchInIndex === true);
    const found = firstBest(values, best).map((first, t) => op('Select', [first, indices[t]!, scalar(0, 'int32')]));
    return [best, found.reduce((sum, index) => op('Add', [sum, index]))];
  },
};

/** Flat input positions of the values at each tap. */
function positions(info: tf.backend_util.Conv2DInfo, windows: Windows, includeBatch: boolean): Value[] {
  const { inHeight, inWidth, inChannels, outHeight, outWidth } = info;
  const batch = includeBatch ? info.batchSize : 1;
  const shape = [batch, outHeight, outWidth, inChannels];
  return offsets(windows).map(([down, across]) => {
    const flat: number[] = [];
    for (let b = 0; b < batch; b++)
      for (let i = 0; i < outHeight; i++)
        for (let j = 0; j < outWidth; j++)
          for (let c = 0; c < inChannels; c++) {
            const row = i * info.strideHeight + down! - info.padInfo.top;
            const column = j * info.strideWidth + across! - info.padInfo.left;
            flat.push(((b * inHeight + row) * inWidth + column) * inChannels + c);
          }
    return constant(flat, shape, 'int32');
  });
}
