import * as tf from '@tensorflow/tfjs-core';
import type { Attrs } from '../../graph/types.ts';
import type { Rules } from './table.ts';
import { kernel, numbersAttr } from './table.ts';

/** Attributes for tfjs' kernels, without dilation: the filter is dilated instead, which works on every backend. */
function window(attrs: Attrs): Record<string, unknown> {
  const [top, bottom, left, right] = numbersAttr(attrs, 'pads') as [number, number, number, number];
  return {
    strides: numbersAttr(attrs, 'strides'),
    dilations: [1, 1],
    pad: [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    dataFormat: 'NHWC',
  };
}

/** A convolution with any padding; tfjs-node has no gradients for paddings other than `same` and `valid`, so x is padded. */
function convolution(name: string, x: tf.Tensor, filter: tf.Tensor, attrs: Attrs): tf.Tensor {
  const options = window(attrs);
  const inputs = { x, filter: dilated(filter, attrs) };
  if (tf.engine().backendName !== 'tensorflow') return kernel(name, inputs, options);
  return kernel(name, { ...inputs, x: padded(x, attrs) }, { ...options, pad: 'valid' });
}

function padded(x: tf.Tensor, attrs: Attrs, value = 0): tf.Tensor {
  const isWhole = numbersAttr(attrs, 'pads').every((pad) => pad === 0);
  return isWhole ? x : tf.pad(x, window(attrs)['pad'] as [number, number][], value);
}

/** The filter with zeros between its taps. */
function dilated(filter: tf.Tensor, attrs: Attrs): tf.Tensor {
  return numbersAttr(attrs, 'dilations').reduce((taps, dilation, axis) => {
    if (dilation === 1) return taps;
    const spaced = tf.expandDims(taps, axis + 1);
    const zeros = taps.shape.map(() => [0, 0] as [number, number]).toSpliced(axis + 1, 0, [0, dilation - 1]);
    const { shape } = taps;
    const long = tf.reshape(tf.pad(spaced, zeros), shape.with(axis, shape[axis]! * dilation));
    return tf.slice(
      long,
      shape.map(() => 0),
      shape.with(axis, (shape[axis]! - 1) * dilation + 1),
    );
  }, filter);
}

/** Taps of a dilated filter. */
function taps(filter: tf.Tensor, attrs: Attrs): tf.Tensor {
  const [vertical, horizontal] = numbersAttr(attrs, 'dilations') as [number, number];
  return tf.stridedSlice(filter, [0, 0, 0, 0], filter.shape, [vertical, horizontal, 1, 1]);
}

function dilatedShape(attrs: Attrs): number[] {
  const dilations = numbersAttr(attrs, 'dilations');
  return numbersAttr(attrs, 'filterShape').map((n, i) => (i < 2 ? (n - 1) * dilations[i]! + 1 : n));
}

function pooling(attrs: Attrs): Record<string, unknown> {
  return { ...window(attrs), filterSize: numbersAttr(attrs, 'filterSize') };
}

function maxPool(x: tf.Tensor, attrs: Attrs): tf.Tensor {
  const isDilated = numbersAttr(attrs, 'dilations').some((dilation) => dilation !== 1);
  return isDilated ? dilatedMaxPool(x, attrs) : kernel('MaxPool', { x }, pooling(attrs));
}

/** tfjs' kernels lack dilation: the maximum over shifted pictures, one for each position of the window. */
function dilatedMaxPool(x: tf.Tensor, attrs: Attrs): tf.Tensor {
  const whole = padded(x, attrs, -Infinity);
  const [filterSize, strides, dilations] = ['filterSize', 'strides', 'dilations'].map((name) =>
    numbersAttr(attrs, name),
  ) as [number[], number[], number[]];
  return [0, 1].reduce((value, i) => {
    const reach = (filterSize[i]! - 1) * dilations[i]! + 1;
    const windows = Math.floor((whole.shape[i + 1]! - reach) / strides[i]!) + 1;
    const seen = Array.from({ length: filterSize[i]! }, (_, place) => {
      const at = Array.from({ length: windows }, (__, w) => w * strides[i]! + place * dilations[i]!);
      return tf.gather(value, tf.tensor1d(at, 'int32'), i + 1);
    });
    return seen.reduce((a, b) => tf.maximum(a, b));
  }, whole);
}

/** Spreads each window's gradient evenly over its elements other than padding. */
function averagePoolGradient(dy: tf.Tensor, attrs: Attrs): tf.Tensor {
  const [batch, height, width, channels] = numbersAttr(attrs, 'inputShape') as [number, number, number, number];
  const [rows, columns] = numbersAttr(attrs, 'filterSize') as [number, number];
  const options = window(attrs);
  const onesFilter = tf.ones([rows, columns, 1, 1]);
  const counts = kernel('DepthwiseConv2dNative', { x: tf.ones([1, height, width, 1]), filter: onesFilter }, options);
  const filter = tf.ones([rows, columns, channels, 1]);
  const inputShape = [batch, height, width, channels];
  return kernel('DepthwiseConv2dNativeBackpropInput', { dy: tf.div(dy, counts), filter }, { ...options, inputShape });
}

export const linear: Rules = {
  BatchMatMul: ([a, b], attrs) => {
    const rank = Math.max(a!.rank, b!.rank);
    const lead = (x: tf.Tensor): tf.Tensor =>
      tf.reshape(x, [...Array.from({ length: rank - x.rank }, () => 1), ...x.shape]);
    return tf.matMul(lead(a!), lead(b!), attrs.transposeA === true, attrs.transposeB === true);
  },
  Lstm: ([y]) => tf.clone(y!),
  Conv2D: ([x, filter], attrs) => convolution('Conv2D', x!, filter!, attrs),
  Conv2DBackpropInput: ([dy, filter], attrs) =>
    kernel(
      'Conv2DBackpropInput',
      { dy: dy!, filter: dilated(filter!, attrs) },
      { ...window(attrs), inputShape: numbersAttr(attrs, 'inputShape') },
    ),
  Conv2DBackpropFilter: ([x, dy], attrs) =>
    taps(
      kernel('Conv2DBackpropFilter', { x: x!, dy: dy! }, { ...window(attrs), filterShape: dilatedShape(attrs) }),
      attrs,
    ),
  DepthwiseConv2dNative: ([x, filter], attrs) => convolution('DepthwiseConv2dNative', x!, filter!, attrs),
  DepthwiseConv2dNativeBackpropInput: ([dy, filter], attrs) =>
    kernel(
      'DepthwiseConv2dNativeBackpropInput',
      { dy: dy!, filter: dilated(filter!, attrs) },
      { ...window(attrs), inputShape: numbersAttr(attrs, 'inputShape') },
    ),
  DepthwiseConv2dNativeBackpropFilter: ([x, dy], attrs) =>
    taps(
      kernel(
        'DepthwiseConv2dNativeBackpropFilter',
        { x: x!, dy: dy! },
        { ...window(attrs), filterShape: dilatedShape(attrs) },
      ),
      attrs,
    ),
  MaxPool: ([x], attrs) => maxPool(x!, attrs),
  AvgPool: ([x], attrs) => kernel('AvgPool', { x: x! }, pooling(attrs)),
  MaxPoolGrad: ([dy, input, output], attrs) =>
    kernel('MaxPoolGrad', { dy: dy!, input: input!, output: output! }, pooling(attrs)),
  AvgPoolGrad: ([dy], attrs) => averagePoolGradient(dy!, attrs),
};
