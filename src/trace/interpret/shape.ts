import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../../graph/types.ts';
import { tfjsDtype } from './elementwise.ts';
import type { Rules } from './table.ts';
import { kernel, numberAttr, numbersAttr } from './table.ts';

function pairs(flat: readonly number[]): [number, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

export const shape: Rules = {
  Reshape: ([x], attrs) => tf.reshape(x!, numbersAttr(attrs, 'shape')),
  Transpose: ([x], attrs) => tf.transpose(x!, numbersAttr(attrs, 'perm')),
  BroadcastTo: ([x], attrs) => tf.broadcastTo(x!, numbersAttr(attrs, 'shape')),
  Concat: (inputs, attrs) => tf.concat([...inputs], numberAttr(attrs, 'axis')),
  Split: ([x], attrs) => tf.split(x!, numbersAttr(attrs, 'sizes'), numberAttr(attrs, 'axis')),
  Slice: ([x], attrs) => tf.slice(x!, numbersAttr(attrs, 'begin'), numbersAttr(attrs, 'size')),
  StridedSlice: ([x], attrs) => {
    const [begin, end, strides] = [
      numbersAttr(attrs, 'begin'),
      numbersAttr(attrs, 'end'),
      numbersAttr(attrs, 'strides'),
    ];
    // -1 with a negative stride means "through element 0", which tfjs expresses by a mask.
    const endMask = end.reduce((mask, e, i) => (e === -1 && strides[i]! < 0 ? mask | (1 << i) : mask), 0);
    return tf.stridedSlice(x!, begin, end, strides, 0, endMask);
  },
  Pad: ([x], attrs) =>
    x!.rank === 0
      ? tf.clone(x!)
      : tf.pad(x!, pairs(numbersAttr(attrs, 'paddings')), numberAttr(attrs, 'constantValue')),
  MirrorPad: ([x], attrs) => tf.mirrorPad(x!, pairs(numbersAttr(attrs, 'paddings')), attrs.mode as 'reflect'),
  Tile: ([x], attrs) => tf.tile(x!, numbersAttr(attrs, 'reps')),
  Reverse: ([x], attrs) => tf.reverse(x!, numbersAttr(attrs, 'axes')),
  GatherV2: ([x, indices], attrs) =>
    tf.gather(x!, indices as tf.Tensor1D, numberAttr(attrs, 'axis'), numberAttr(attrs, 'batchDims')),
  GatherNd: ([params, indices]) => tf.gatherND(params!, indices!),
  ScatterNd: ([indices, updates], attrs) => tf.scatterND(indices!, updates!, numbersAttr(attrs, 'shape')),
  UnsortedSegmentSum: ([x, ids], attrs) => {
    const rows = tf.reshape(x!, [ids!.size, ...x!.shape.slice(ids!.rank)]);
    return tf.unsortedSegmentSum(rows, tf.reshape<tf.Rank.R1>(ids!, [ids!.size]), numberAttr(attrs, 'numSegments'));
  },
  OneHot: ([indices], attrs) => {
    const [depth, onValue, offValue] = ['depth', 'onValue', 'offValue'].map((name) => numberAttr(attrs, name));
    const on = kernel('OneHot', { indices: indices! }, { depth, onValue, offValue, dtype: 'float32' });
    return tf.cast(on, tfjsDtype(attrs.dtype as DType));
  },
  DepthToSpace: ([x], attrs) => tf.depthToSpace(x as tf.Tensor4D, numberAttr(attrs, 'blockSize')),
};
