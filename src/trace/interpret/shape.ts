import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../../graph/types.ts';
import { tfjsDtype } from './elementwise.ts';
import type { Rules } from './table.ts';
import { kernel, number, numbers } from './table.ts';

function pairs(flat: readonly number[]): [number, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

export const shape: Rules = {
  Reshape: ([x], attrs) => tf.reshape(x!, numbers(attrs, 'shape')),
  Transpose: ([x], attrs) => tf.transpose(x!, numbers(attrs, 'perm')),
  BroadcastTo: ([x], attrs) => tf.broadcastTo(x!, numbers(attrs, 'shape')),
  Concat: (inputs, attrs) => tf.concat([...inputs], number(attrs, 'axis')),
  Split: ([x], attrs) => tf.split(x!, numbers(attrs, 'sizes'), number(attrs, 'axis')),
  Slice: ([x], attrs) => tf.slice(x!, numbers(attrs, 'begin'), numbers(attrs, 'size')),
  StridedSlice: ([x], attrs) => {
    const [begin, end, strides] = [numbers(attrs, 'begin'), numbers(attrs, 'end'), numbers(attrs, 'strides')];
    // -1 with a negative stride means "through element 0", which tfjs expresses by a mask.
    const endMask = end.reduce((mask, e, i) => (e === -1 && strides[i]! < 0 ? mask | (1 << i) : mask), 0);
    return tf.stridedSlice(x!, begin, end, strides, 0, endMask);
  },
  Pad: ([x], attrs) =>
    x!.rank === 0 ? tf.clone(x!) : tf.pad(x!, pairs(numbers(attrs, 'paddings')), number(attrs, 'constantValue')),
  MirrorPad: ([x], attrs) => tf.mirrorPad(x!, pairs(numbers(attrs, 'paddings')), attrs.mode as 'reflect'),
  Tile: ([x], attrs) => tf.tile(x!, numbers(attrs, 'reps')),
  Reverse: ([x], attrs) => tf.reverse(x!, numbers(attrs, 'axes')),
  GatherV2: ([x, indices], attrs) =>
    tf.gather(x!, indices as tf.Tensor1D, number(attrs, 'axis'), number(attrs, 'batchDims')),
  GatherNd: ([params, indices]) => tf.gatherND(params!, indices!),
  ScatterNd: ([indices, updates], attrs) => tf.scatterND(indices!, updates!, numbers(attrs, 'shape')),
  UnsortedSegmentSum: ([x, ids], attrs) => {
    const rows = tf.reshape(x!, [ids!.size, ...x!.shape.slice(ids!.rank)]);
    return tf.unsortedSegmentSum(rows, tf.reshape<tf.Rank.R1>(ids!, [ids!.size]), number(attrs, 'numSegments'));
  },
  OneHot: ([indices], attrs) => {
    const [depth, onValue, offValue] = ['depth', 'onValue', 'offValue'].map((name) => number(attrs, name));
    const on = kernel('OneHot', { indices: indices! }, { depth, onValue, offValue, dtype: 'float32' });
    return tf.cast(on, tfjsDtype(attrs.dtype as DType));
  },
  DepthToSpace: ([x], attrs) => tf.depthToSpace(x as tf.Tensor4D, number(attrs, 'blockSize')),
};
