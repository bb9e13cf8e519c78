import * as tf from '@tensorflow/tfjs-core';
import type { Attrs } from '../../graph/types.ts';
import type { InterpretRule, Rules } from './table.ts';
import { kernel, numberAttr, numbersAttr } from './table.ts';

function allButLast(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, i) => i);
}

const resize =
  (name: string): InterpretRule =>
  ([images], attrs) =>
    kernel(
      name,
      { images: images! },
      {
        size: numbersAttr(attrs, 'size'),
        alignCorners: attrs.alignCorners === true,
        halfPixelCenters: attrs.halfPixelCenters === true,
      },
    );

/** Interpolation matrix [to, from] along one axis. */
type Mixing = (from: number, to: number, attrs: Attrs) => tf.Tensor2D;

function position(i: number, from: number, to: number, attrs: Attrs): number {
  const scale = attrs.alignCorners === true && to > 1 ? (from - 1) / (to - 1) : from / to;
  return attrs.halfPixelCenters === true ? (i + 0.5) * scale - 0.5 : i * scale;
}

const bilinear: Mixing = (from, to, attrs) => {
  const mix = tf.buffer([to, from]);
  for (let i = 0; i < to; i++) {
    const at = position(i, from, to, attrs);
    const low = Math.max(0, Math.floor(at));
    const part = at - Math.floor(at);
    const high = Math.min(from - 1, Math.ceil(at));
    mix.set(mix.get(i, low) + (1 - part), i, low);
    mix.set(mix.get(i, high) + part, i, high);
  }
  return mix.toTensor() as tf.Tensor2D;
};

const nearest: Mixing = (from, to, attrs) => {
  const mix = tf.buffer([to, from]);
  for (let i = 0; i < to; i++) {
    // Nearest picks the pixel that contains the centre: half-pixel centres without the shift back.
    const at = attrs.halfPixelCenters === true ? position(i, from, to, attrs) + 0.5 : position(i, from, to, attrs);
    const pixel = attrs.alignCorners === true ? Math.round(at) : Math.floor(at);
    mix.set(1, i, Math.min(from - 1, Math.max(0, pixel)));
  }
  return mix.toTensor() as tf.Tensor2D;
};

/** A resize is linear in each axis: its gradient multiplies by the transposed matrices. */
const resizeGradient =
  (mixing: Mixing): InterpretRule =>
  ([dy], attrs) => {
    const [batch, height, width, channels] = numbersAttr(attrs, 'inputShape') as [number, number, number, number];
    const [, rows, columns] = dy!.shape as [number, number, number, number];
    const vertical = mixing(height, rows, attrs);
    const horizontal = mixing(width, columns, attrs);
    const byRow = tf.matMul(vertical, tf.reshape(tf.transpose(dy!, [1, 0, 2, 3]), [rows, -1]), true);
    const tall = tf.transpose(tf.reshape(byRow, [height, batch, columns, channels]), [2, 1, 0, 3]);
    const byColumn = tf.matMul(horizontal, tf.reshape(tall, [columns, -1]), true);
    return tf.transpose(tf.reshape(byColumn, [width, batch, height, channels]), [1, 2, 0, 3]);
  };

export const norm: Rules = {
  FusedBatchNorm: ([x, mean, variance, offset, scale], attrs) => {
    const inverse = tf.rsqrt(tf.add(variance!, numberAttr(attrs, 'epsilon')));
    const normal = tf.mul(tf.sub(x!, mean!), scale === undefined ? inverse : tf.mul(inverse, scale));
    return offset === undefined ? normal : tf.add(normal, offset);
  },
  BatchNormTrain: ([x, scale, offset], attrs) => {
    const { mean, variance } = tf.moments(x!, allButLast(x!));
    const inverse = tf.rsqrt(tf.add(variance, numberAttr(attrs, 'epsilon')));
    return [tf.add(tf.mul(tf.mul(tf.sub(x!, mean), inverse), scale!), offset!), mean, variance, inverse];
  },
  BatchNormTrainGrad: ([dy, x, scale, mean, inverse]) => {
    const axes = allButLast(x!);
    const normal = tf.mul(tf.sub(x!, mean!), inverse!);
    const dscale = tf.sum(tf.mul(dy!, normal), axes);
    const doffset = tf.sum(dy!, axes);
    const count = x!.size / scale!.size;
    const centred = tf.sub(tf.sub(dy!, tf.div(doffset, count)), tf.mul(normal, tf.div(dscale, count)));
    return [tf.mul(centred, tf.mul(scale!, inverse!)), dscale, doffset];
  },
  LRN: ([x], attrs) => {
    const [depthRadius, bias, alpha, beta] = ['depthRadius', 'bias', 'alpha', 'beta'].map((name) =>
      numberAttr(attrs, name),
    );
    return kernel('LRN', { x: x! }, { depthRadius, bias, alpha, beta });
  },
  ResizeBilinear: resize('ResizeBilinear'),
  ResizeNearestNeighbor: resize('ResizeNearestNeighbor'),
  ResizeBilinearGrad: resizeGradient(bilinear),
  ResizeNearestNeighborGrad: resizeGradient(nearest),
};
