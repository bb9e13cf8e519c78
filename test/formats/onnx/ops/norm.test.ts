import * as tf from '@tensorflow/tfjs-core';
import type { TensorData } from '../../../../src/graph/types.ts';
import { expectClose, expectSame, f32, i32, onCpu, runOp, values } from './harness.ts';
import type { Operand } from './harness.ts';

beforeAll(() => tf.setBackend('cpu'));

function product(a: TensorData, b: TensorData): number {
  return (a as Float32Array).reduce((sum, value, i) => sum + value * Number(b[i]), 0);
}

const variance = (channels: number): Operand => f32([channels], values(channels, 6, 0.2, 2));

describe('FusedBatchNorm', () => {
  const x = f32([2, 3, 4, 5]);
  const [mean, offset, scale] = [2, 3, 4].map((seed) => f32([5], undefined, seed)) as [Operand, Operand, Operand];
  const attrs = { epsilon: 0.01 };

  it.each([
    ['scale and offset', offset, scale],
    ['no offset', undefined, scale],
    ['no scale', offset, undefined],
    ['neither', undefined, undefined],
  ])('with %s', (_, o, s) => {
    const expected = tf.batchNorm(
      onCpu(x),
      onCpu(mean),
      onCpu(variance(5)),
      o && (onCpu(o) as tf.Tensor1D),
      s && (onCpu(s) as tf.Tensor1D),
      0.01,
    );
    expectClose(runOp('FusedBatchNorm', [x, mean, variance(5), o, s], attrs)[0]!, expected.dataSync());
  });

  it('of rank 2 and 3, and with statistics of full shape', () => {
    for (const shape of [
      [4, 5],
      [2, 3, 5],
    ])
      expectSame('FusedBatchNorm', [f32(shape), mean, variance(5), offset, scale], attrs, (t, m, v, o, s) =>
        tf.batchNorm(t, m, v, o, s, 0.01),
      );
    const full = f32([2, 3, 4, 5], values(120, 8, 0.5, 1));
    expectSame('FusedBatchNorm', [x, full, full, full, full], attrs, (t, m, v, o, s) =>
      tf.batchNorm(t, m, v, o, s, 0.01),
    );
  });
});

describe('BatchNormTrain and its gradient', () => {
  it.each([[[2, 3, 4, 5]], [[6, 5]], [[2, 3, 5]]])('of shape %j', (shape) => {
    const x = f32(shape);
    const [scale, offset, dy] = [f32([5], undefined, 2), f32([5], undefined, 3), f32(shape, undefined, 4)];
    const axes = shape.map((_, i) => i).slice(0, -1);
    const forward = (t: tf.Tensor, s: tf.Tensor, o: tf.Tensor): tf.Tensor => {
      const { mean, variance } = tf.moments(t, axes);
      return tf.add(tf.mul(tf.div(tf.sub(t, mean), tf.sqrt(tf.add(variance, 0.001))), s), o);
    };
    const [y, mean, spread, inverse] = runOp('BatchNormTrain', [x, scale, offset], { epsilon: 0.001 });
    const moments = tf.moments(onCpu(x), axes);
    expectClose(y!, forward(onCpu(x), onCpu(scale), onCpu(offset)).dataSync());
    expectClose(mean!, moments.mean.dataSync());
    expectClose(spread!, moments.variance.dataSync());
    expectClose(inverse!, tf.rsqrt(tf.add(moments.variance, 0.001)).dataSync());
    const expected = tf.grads(forward)([x, scale, offset].map(onCpu), onCpu(dy));
    const statistics = [f32([5], mean as Float32Array), f32([5], inverse as Float32Array)];
    const actual = runOp('BatchNormTrainGrad', [dy, x, scale, ...statistics], {});
    actual.forEach((gradient, i) => expectClose(gradient, expected[i]!.dataSync(), 1e-4));
  });
});

describe('LRN', () => {
  it.each([1, 2, 5])('over %i neighbours to each side', (depthRadius) => {
    const attrs = { depthRadius, bias: 1.5, alpha: 0.3, beta: 0.75 };
    expectSame('LRN', [f32([2, 3, 2, 7])], attrs, (t) =>
      tf.localResponseNormalization(t as tf.Tensor4D, depthRadius, 1.5, 0.3, 0.75),
    );
  });
});

describe('resizing', () => {
  const sizes: [number, number][] = [
    [6, 10],
    [7, 4],
    [2, 3],
    [9, 5],
    [1, 1],
    [3, 5],
  ];
  const modes = [
    [false, false],
    [true, false],
    [false, true],
  ] as const;
  const grid = sizes.flatMap((size) =>
    modes.map(([alignCorners, halfPixelCenters]) => [size, alignCorners, halfPixelCenters] as const),
  );

  it.each(grid)('to %j, alignCorners %s, halfPixelCenters %s', (size, alignCorners, halfPixelCenters) => {
    const x = f32([2, 3, 5, 2]);
    const attrs = { size, alignCorners, halfPixelCenters };
    expectSame('ResizeBilinear', [x], attrs, (t) =>
      tf.image.resizeBilinear(t as tf.Tensor4D, size, alignCorners, halfPixelCenters),
    );
    expectSame('ResizeNearestNeighbor', [x], attrs, (t) =>
      tf.image.resizeNearestNeighbor(t as tf.Tensor4D, size, alignCorners, halfPixelCenters),
    );
  });

  it.each(grid)(
    'gradient is the adjoint, to %j, alignCorners %s, halfPixelCenters %s',
    (size, alignCorners, halfPixelCenters) => {
      const [x, dy] = [f32([2, 3, 5, 2]), f32([2, ...size, 2], undefined, 2)];
      const modes = { alignCorners, halfPixelCenters };
      for (const op of ['ResizeBilinear', 'ResizeNearestNeighbor']) {
        const y = runOp(op, [x], { size, ...modes })[0]!;
        const dx = runOp(`${op}Grad`, [dy], { inputShape: x.shape, ...modes })[0]!;
        expect(product(dx, x.data)).toBeCloseTo(product(dy.data, y), 3);
      }
    },
  );

  // tfjs' own gradient mixes up height and width, and the images of a batch: one square image only.
  it.each([[[8, 8]], [[5, 5]], [[2, 2]]] as [[number, number]][])('gradient as tfjs has it, to %j', (size) => {
    for (const alignCorners of [false, true]) {
      const [x, dy] = [f32([1, 4, 4, 2]), f32([1, ...size, 2], undefined, 2)];
      const attrs = { inputShape: x.shape, alignCorners, halfPixelCenters: false };
      const resize = (t: tf.Tensor): tf.Tensor => tf.image.resizeBilinear(t as tf.Tensor4D, size, alignCorners);
      expectClose(runOp('ResizeBilinearGrad', [dy], attrs)[0]!, tf.grad(resize)(onCpu(x), onCpu(dy)).dataSync());
      const nearest = (t: tf.Tensor): tf.Tensor => tf.image.resizeNearestNeighbor(t as tf.Tensor4D, size, alignCorners);
      expectClose(
        runOp('ResizeNearestNeighborGrad', [dy], attrs)[0]!,
        tf.grad(nearest)(onCpu(x), onCpu(dy)).dataSync(),
      );
    }
  });

  it('keeps integers', () => {
    const x = i32([1, 2, 2, 1], [1, 2, 3, 4]);
    const attrs = { size: [4, 4], alignCorners: false, halfPixelCenters: false };
    expectSame('ResizeNearestNeighbor', [x], attrs, (t) => tf.image.resizeNearestNeighbor(t as tf.Tensor4D, [4, 4]));
  });
});
