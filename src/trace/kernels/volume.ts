import * as tf from '@tensorflow/tfjs-core';
import type { Value } from '../value.ts';
import { op } from '../value.ts';
import { matMul } from './matmul.ts';
import type { Attributes, Table } from './table.ts';
import { concat, filled, reshape, scalar, sizeOfShape } from './table.ts';
import type { Windows } from './windows.ts';
import { firstBest, largest, LOWEST, taps, untap, windowSize } from './windows.ts';

type Shape5 = [number, number, number, number, number];

function windowsOf(info: tf.backend_util.Conv3DInfo): Windows {
  return {
    input: [info.inDepth, info.inHeight, info.inWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    filter: [info.filterDepth, info.filterHeight, info.filterWidth],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
  };
}

function convolution(inputShape: readonly number[], filterShape: readonly number[], attrs: Attributes): Windows {
  const info = tf.backend_util.computeConv3DInfo(
    inputShape as Shape5,
    filterShape as Shape5,
    attrs.strides as number,
    (attrs.dilations as number | undefined) ?? 1,
    attrs.pad as 'same',
  );
  return windowsOf(info);
}

function pooling(inputShape: readonly number[], attrs: Attributes): Windows {
  const info = tf.backend_util.computePool3DInfo(
    inputShape as Shape5,
    attrs.filterSize as number,
    attrs.strides as number,
    1,
    attrs.pad as 'same',
    attrs.dimRoundingMode as 'floor',
  );
  return windowsOf(info);
}

/** All taps of a position as a row: [positions, taps · channels]. */
function columns(x: Value, windows: Windows): Value {
  const all = concat(taps(x, windows), 4);
  return reshape(all, [sizeOfShape(all.type.shape.slice(0, 4)), all.type.shape[4]!]);
}

function asMatrix(filter: Value): Value {
  const { shape } = filter.type;
  return reshape(filter, [sizeOfShape(shape.slice(0, 4)), shape[4]!]);
}

function rows(dy: Value): Value {
  return reshape(dy, [sizeOfShape(dy.type.shape.slice(0, 4)), dy.type.shape[4]!]);
}

/** Number of elements of each window other than padding. */
function counts(windows: Windows): Value {
  return taps(filled(1, [1, ...windows.input, 1]), windows).reduce((sum, value) => op('Add', [sum, value]));
}

/** Kernels over three spatial axes, as sums over the taps of a window: the graph has no such ops. */
export const volume: Table = {
  Conv3D: ({ x, filter }, attrs) => {
    const windows = convolution(x!.type.shape, filter!.type.shape, attrs);
    const shape = [x!.type.shape[0]!, ...windows.output, filter!.type.shape[4]!];
    return reshape(matMul(columns(x!, windows), asMatrix(filter!)), shape);
  },
  Conv3DBackpropInputV2: ({ dy, filter }, attrs) => {
    const inputShape = attrs.inputShape as number[];
    const windows = convolution(inputShape, filter!.type.shape, attrs);
    const spread = matMul(rows(dy!), asMatrix(filter!), false, true);
    const channels = inputShape[4]!;
    const pieces = Array.from({ length: windowSize(windows) }, (_, t) =>
      reshape(op('Slice', [spread], { begin: [0, t * channels], size: [spread.type.shape[0]!, channels] }), [
        inputShape[0]!,
        ...windows.output,
        channels,
      ]),
    );
    return untap(pieces, windows);
  },
  Conv3DBackpropFilterV2: ({ x, dy }, attrs) => {
    const filterShape = attrs.filterShape as number[];
    const windows = convolution(x!.type.shape, filterShape, attrs);
    return reshape(matMul(columns(x!, windows), rows(dy!), true), filterShape);
  },
  MaxPool3D: ({ x }, attrs) => largest(taps(x!, pooling(x!.type.shape, attrs), LOWEST)),
  MaxPool3DGrad: ({ dy, input, output }, attrs) => {
    const windows = pooling(input!.type.shape, attrs);
    const shares = firstBest(taps(input!, windows, LOWEST), output!).map((first) =>
      op('Select', [first, dy!, scalar(0)]),
    );
    return untap(shares, windows);
  },
  AvgPool3D: ({ x }, attrs) => {
    const windows = pooling(x!.type.shape, attrs);
    const sum = taps(x!, windows).reduce((total, value) => op('Add', [total, value]));
    return op('RealDiv', [sum, op('Maximum', [counts(windows), scalar(1)])]);
  },
  AvgPool3DGrad: ({ dy, input }, attrs) => {
    const windows = pooling(input!.type.shape, attrs);
    const share = op('RealDiv', [dy!, counts(windows)]);
    return untap(
      Array.from({ length: windowSize(windows) }, () => share),
      windows,
    );
  },
};
