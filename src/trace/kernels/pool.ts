import * as tf from '@tensorflow/tfjs-core';
import type { Attrs } from '../../graph/types.ts';
import { op } from '../value.ts';
import { kernelWindow } from './conv.ts';
import type { Attributes, Table } from './table.ts';

function poolAttrs(shape: readonly number[], attrs: Attributes): Attrs {
  const info = tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    attrs.filterSize as number,
    attrs.strides as number,
    1,
    attrs.pad as 'same',
    attrs.dimRoundingMode as 'floor',
  );
  return { filterSize: [info.filterHeight, info.filterWidth], ...kernelWindow(info) };
}

export const pool: Table = {
  MaxPool: ({ x }, attrs) => op('MaxPool', [x!], poolAttrs(x!.type.shape, attrs)),
  AvgPool: ({ x }, attrs) => op('AvgPool', [x!], poolAttrs(x!.type.shape, attrs)),
  MaxPoolGrad: ({ dy, input, output }, attrs) =>
    op('MaxPoolGrad', [dy!, input!, output!], poolAttrs(input!.type.shape, attrs)),
  AvgPoolGrad: ({ dy, input }, attrs) =>
    op('AvgPoolGrad', [dy!], { ...poolAttrs(input!.type.shape, attrs), inputShape: [...input!.type.shape] }),
};
