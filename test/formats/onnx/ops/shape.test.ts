import * as tf from '@tensorflow/tfjs-core';
import { bool, expectClose, expectSame, f32, i32, runOp } from './harness.ts';

beforeAll(() => tf.setBackend('cpu'));

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i - 3);
const x = f32([2, 3, 4]);
const kinds = [
  x,
  i32([2, 3, 4], numbers(24)),
  bool(
    [2, 3, 4],
    numbers(24).map((n) => n & 1),
  ),
];

describe.each(kinds.map((operand) => [operand.dtype, operand] as const))('shape ops on %s', (_, operand) => {
  it('Reshape, Transpose, BroadcastTo', () => {
    expectSame('Reshape', [operand], { shape: [4, 6] }, (t) => tf.reshape(t, [4, 6]));
    expectSame('Reshape', [operand], { shape: [24] }, (t) => tf.reshape(t, [24]));
    for (const perm of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ])
      expectSame('Transpose', [operand], { perm }, (t) => tf.transpose(t, perm));
    expectSame('BroadcastTo', [operand], { shape: [2, 2, 3, 4] }, (t) => tf.broadcastTo(t, [2, 2, 3, 4]));
  });

  it('Concat and Split', () => {
    for (const axis of [0, 1, 2])
      expectSame('Concat', [operand, operand, operand], { axis }, (...ts) => tf.concat(ts, axis));
    const parts = runOp('Split', [operand], { axis: 2, sizes: [1, 3] });
    const expected = tf.split(
      tf.tensor(operand.data as Float32Array, [2, 3, 4], operand.dtype as 'float32'),
      [1, 3],
      2,
    );
    parts.forEach((part, i) => expectClose(part, expected[i]!.dataSync()));
  });

  it('Slice, StridedSlice, Reverse', () => {
    expectSame('Slice', [operand], { begin: [0, 1, 2], size: [2, 2, -1] }, (t) => tf.slice(t, [0, 1, 2], [2, 2, -1]));
    expectSame('Slice', [operand], { begin: [0, 0, 0], size: [-1, -1, -1] }, (t) => t.clone());
    expectSame('Slice', [operand], { begin: [1, 0, 3], size: [1, 3, 1] }, (t) => tf.slice(t, [1, 0, 3], [1, 3, 1]));
    const strided = { begin: [1, 0, 3], end: [2, 3, -1], strides: [1, 2, -2] };
    expectSame('StridedSlice', [operand], strided, (t) =>
      tf.stridedSlice(t, [1, 0, 3], [2, 3, 0], [1, 2, -2], 0, 0b100),
    );
    for (const axes of [[0], [1, 2], [0, 1, 2], []])
      expectSame('Reverse', [operand], { axes }, (t) => (axes.length === 0 ? t.clone() : tf.reverse(t, axes)));
  });

  it('Pad, MirrorPad, Tile', () => {
    const paddings = [0, 1, 2, 0, 1, 2];
    expectSame('Pad', [operand], { paddings, constantValue: 1 }, (t) =>
      tf.pad(
        t,
        [
          [0, 1],
          [2, 0],
          [1, 2],
        ],
        1,
      ),
    );
    for (const mode of ['reflect', 'symmetric'] as const)
      expectSame('MirrorPad', [operand], { paddings, mode }, (t) =>
        tf.mirrorPad(
          t,
          [
            [0, 1],
            [2, 0],
            [1, 2],
          ],
          mode,
        ),
      );
    expectSame('Tile', [operand], { reps: [2, 1, 3] }, (t) => tf.tile(t, [2, 1, 3]));
  });

  it('GatherV2 along every axis', () => {
    const indices = i32([2, 2], [1, 0, 1, 1]);
    for (const axis of [0, 1, 2])
      expectSame('GatherV2', [operand, indices], { axis, batchDims: 0 }, (t, i) => tf.gather(t, i, axis));
  });

  it('ScatterNd adds what is repeated', () => {
    const updates = { dtype: operand.dtype, shape: [4], data: operand.data.slice(0, 4) };
    const indices = i32([4, 1], [4, 3, 1, 7]);
    expectSame('ScatterNd', [indices, updates], { shape: [8] }, (i, u) => tf.scatterND(i, u, [8]));
  });
});

describe('gather with batch axes', () => {
  it.each([
    [1, 1],
    [2, 1],
    [2, 2],
    [3, 1],
    [3, 2],
  ])('axis %i, batchDims %i', (axis, batchDims) => {
    const data = f32([2, 3, 4, 5]);
    const shape = batchDims === 1 ? [2, 2] : [2, 3, 2];
    const indices = i32(
      shape,
      numbers(shape.reduce((a, b) => a * b)).map((n) => Math.abs(n) % 3),
    );
    expectSame('GatherV2', [data, indices], { axis, batchDims }, (t, i) => tf.gather(t, i, axis, batchDims));
  });
});

describe('N-d indices', () => {
  it('GatherNd of rows and of elements', () => {
    expectSame('GatherNd', [x, i32([3, 1], [1, 0, 1])], {}, (t, i) => tf.gatherND(t, i));
    expectSame('GatherNd', [x, i32([2, 3], [1, 2, 3, 0, 0, 1])], {}, (t, i) => tf.gatherND(t, i));
  });

  it('ScatterNd of rows, with repeats', () => {
    const [indices, updates] = [i32([3, 1], [0, 2, 0]), f32([3, 2], [1, 2, 3, 4, 5, 6])];
    expect([...runOp('ScatterNd', [indices, updates], { shape: [4, 2] })[0]!]).toEqual([6, 8, 0, 0, 3, 4, 0, 0]);
    const counts = runOp('ScatterNd', [i32([3, 1], [1, 1, 0]), i32([3], [5, 6, 7])], { shape: [2] })[0]!;
    expect([...counts]).toEqual([7, 11]);
  });

  it('UnsortedSegmentSum drops ids outside', () => {
    const rows = f32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    const sums = (ids: number[]): number[] => [
      ...(runOp('UnsortedSegmentSum', [rows, i32([4], ids)], { numSegments: 3 })[0] as Float32Array),
    ];
    expect(sums([2, 0, 2, 0])).toEqual([10, 12, 0, 0, 6, 8]);
    expect(sums([2, -1, 5, 0])).toEqual([7, 8, 0, 0, 1, 2]);
    expectSame('UnsortedSegmentSum', [rows, i32([4], [2, 0, 2, 1])], { numSegments: 3 }, (t, i) =>
      tf.unsortedSegmentSum(t, i as tf.Tensor1D, 3),
    );
  });

  it('OneHot gives off values for indices outside', () => {
    const indices = i32([2, 2], [0, 2, -1, 3]);
    for (const dtype of ['float32', 'int32', 'bool'] as const)
      expectSame('OneHot', [indices], { depth: 3, onValue: 1, offValue: 0, dtype }, (i) =>
        tf.oneHot(i, 3, 1, 0, dtype),
      );
    expectSame('OneHot', [indices], { depth: 3, onValue: 5, offValue: -2, dtype: 'float32' }, (i) =>
      tf.oneHot(i, 3, 5, -2),
    );
  });
});

describe('DepthToSpace', () => {
  it.each([2, 3])('block size %i', (blockSize) => {
    const depth = 2 * blockSize * blockSize;
    const data = f32([2, 2, 3, depth]);
    expectSame('DepthToSpace', [data], { blockSize }, (t) => tf.depthToSpace(t as tf.Tensor4D, blockSize, 'NHWC'));
  });
});
