import * as tf from '@tensorflow/tfjs-core';
import { windowed } from '../../../../src/graph/ops/linear.ts';
import { expectClose, expectSame, f32, onCpu, runOp } from './harness.ts';
import type { Operand } from './harness.ts';

beforeAll(() => tf.setBackend('cpu'));

interface Case {
  readonly size: [number, number];
  readonly filter: [number, number];
  readonly strides: [number, number];
  readonly dilations: [number, number];
  /** top, bottom, left, right */
  readonly pads: [number, number, number, number];
}

const sizes: [number, number][] = [
  [5, 7],
  [8, 6],
];
const filters: [number, number][] = [
  [1, 1],
  [2, 3],
  [3, 3],
];
const steps: { strides: [number, number]; dilations: [number, number] }[] = [
  { strides: [1, 1], dilations: [1, 1] },
  { strides: [2, 2], dilations: [1, 1] },
  { strides: [2, 3], dilations: [1, 1] },
  { strides: [1, 1], dilations: [2, 2] },
  { strides: [1, 1], dilations: [1, 2] },
];
const paddings: [number, number, number, number][] = [
  [0, 0, 0, 0],
  [1, 1, 1, 1],
  [0, 1, 0, 1],
  [2, 0, 1, 2],
];

const cases: Case[] = sizes.flatMap((size) =>
  filters.flatMap((filter) => steps.flatMap((step) => paddings.map((pads) => ({ size, filter, pads, ...step })))),
);

const named = cases.map(
  (c) =>
    [
      `${c.size.join('×')} by ${c.filter.join('×')}, strides ${c.strides.join()}, dilations ${c.dilations.join()}, pads ${c.pads.join()}`,
      c,
    ] as const,
);

/** tfjs' own gradients refuse or mistreat some explicit paddings, so the reference pads by hand and convolves without. */
function padded(x: tf.Tensor, [top, bottom, left, right]: Case['pads']): tf.Tensor4D {
  return tf.pad(x as tf.Tensor4D, [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]);
}

function outputSize({ size, filter, strides, dilations, pads }: Case): [number, number] {
  return [0, 1].map((i) =>
    windowed(size[i]!, filter[i]!, strides[i]!, dilations[i]!, pads[2 * i]!, pads[2 * i + 1]!),
  ) as [number, number];
}

const attrsOf = ({ strides, dilations, pads }: Case) => ({ strides, dilations, pads });

type Conv = (x: tf.Tensor, w: tf.Tensor) => tf.Tensor;

function gradients(conv: Conv, x: Operand, w: Operand, dy: Operand): [Float32Array, Float32Array] {
  return tf.tidy(() => {
    const [dx, dw] = tf.grads(conv)([onCpu(x), onCpu(w)], onCpu(dy));
    return [dx!.dataSync() as Float32Array, dw!.dataSync() as Float32Array];
  });
}

/** tfjs has no gradient of a dilated convolution: a filter with the zeros written out has the same. */
function dilated(w: tf.Tensor, [down, across]: readonly [number, number]): tf.Tensor4D {
  const spread = (t: tf.Tensor, axis: number, rate: number): tf.Tensor => {
    if (rate === 1 || t.shape[axis] === 1) return t;
    const parts = tf
      .unstack(t, axis)
      .flatMap((part, i) => (i === 0 ? [part] : [...new Array<tf.Tensor>(rate - 1).fill(tf.zerosLike(part)), part]));
    return tf.stack(parts, axis);
  };
  return spread(spread(w, 0, down), 1, across) as tf.Tensor4D;
}

describe('Conv2D and its gradients', () => {
  it.each(named)('%s', (_, c) => {
    const x = f32([2, ...c.size, 3]);
    const w = f32([...c.filter, 3, 4], undefined, 2);
    const conv: Conv = (a, b) => tf.conv2d(padded(a, c.pads), dilated(b, c.dilations), c.strides, 'valid');
    expectSame('Conv2D', [x, w], attrsOf(c), conv);
    const dy = f32([2, ...outputSize(c), 4], undefined, 3);
    const [dx, dw] = gradients(conv, x, w, dy);
    expectClose(runOp('Conv2DBackpropInput', [dy, w], { ...attrsOf(c), inputShape: x.shape })[0]!, dx);
    expectClose(runOp('Conv2DBackpropFilter', [x, dy], { ...attrsOf(c), filterShape: w.shape })[0]!, dw, 1e-4);
  });

  it('with a stored filter gives the same', () => {
    const [x, w] = [f32([1, 5, 5, 2]), f32([3, 3, 2, 4], undefined, 2)];
    const attrs = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
    expectClose(runOp('Conv2D', [x, w], attrs, true)[0]!, runOp('Conv2D', [x, w], attrs)[0]!);
  });

  it('conv2dTranspose gives what tfjs gives', () => {
    const w = f32([3, 3, 2, 4], undefined, 2);
    for (const [pad, pads, shape] of [
      ['same', [0, 1, 0, 1], [1, 8, 10, 2]],
      ['valid', [0, 0, 0, 0], [1, 9, 11, 2]],
    ] as const) {
      expectSame(
        'Conv2DBackpropInput',
        [f32([1, 4, 5, 4]), w],
        { strides: [2, 2], dilations: [1, 1], pads, inputShape: shape },
        (x, f) => tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, [...shape], 2, pad),
      );
    }
  });
});

describe('depthwise convolution and its gradients', () => {
  it.each(
    named
      .filter((_, i) => i % 2 === 0)
      .flatMap(([name, c]) =>
        [1, 3].map((multiplier) => [`${name}, multiplier ${multiplier}`, c, multiplier] as const),
      ),
  )('%s', (_, c, multiplier) => {
    const x = f32([2, ...c.size, 2]);
    const w = f32([...c.filter, 2, multiplier], undefined, 2);
    const conv: Conv = (a, b) => depthwiseByHand(padded(a, c.pads), dilated(b, c.dilations), c.strides);
    expectSame('DepthwiseConv2dNative', [x, w], attrsOf(c), conv);
    const dy = f32([2, ...outputSize(c), 2 * multiplier], undefined, 3);
    const [dx, dw] = gradients(conv, x, w, dy);
    expectClose(runOp('DepthwiseConv2dNativeBackpropInput', [dy, w], { ...attrsOf(c), inputShape: x.shape })[0]!, dx);
    const filterShape = { ...attrsOf(c), filterShape: w.shape };
    expectClose(runOp('DepthwiseConv2dNativeBackpropFilter', [x, dy], filterShape)[0]!, dw, 1e-4);
  });
});

/** One convolution per channel: tfjs' depthwise kernel takes only one stride for both axes. */
function depthwiseByHand(x: tf.Tensor4D, w: tf.Tensor4D, strides: [number, number]): tf.Tensor {
  const channels: tf.Tensor4D[] = tf.split(x, x.shape[3], 3);
  const filters: tf.Tensor4D[] = tf.split(w, x.shape[3], 2);
  return tf.concat(
    channels.map((channel, i) => tf.conv2d(channel, filters[i]!, strides, 'valid')),
    3,
  );
}

/** With the batch axes of `other` written out: tfjs' kernel mistakes some that it should broadcast. */
function widened(t: tf.Tensor, other: readonly number[]): tf.Tensor {
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(t.shape.slice(0, -2), other.slice(0, -2));
  return tf.broadcastTo(t, [...batch, ...t.shape.slice(-2)]);
}

describe('BatchMatMul', () => {
  it.each([
    [
      [3, 4],
      [4, 5],
    ],
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    [
      [2, 1, 3, 4],
      [3, 4, 5],
    ],
    [
      [2, 3, 4],
      [4, 5],
    ],
  ])('of %j and %j, each transposed or not', (a, b) => {
    const swap = (shape: number[]): number[] => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
    for (const transposeA of [false, true])
      for (const transposeB of [false, true]) {
        const operands = [f32(transposeA ? swap(a) : a), f32(transposeB ? swap(b) : b, undefined, 2)];
        expectSame('BatchMatMul', operands, { transposeA, transposeB }, (s, t) =>
          tf.matMul(widened(s, b), widened(t, a), transposeA, transposeB),
        );
      }
  });
});
