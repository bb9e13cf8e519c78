import * as tf from '@tensorflow/tfjs-core';
import type { InterpretRule, Rules } from './table.ts';
import { numberAttr, numbersAttr } from './table.ts';

/** A reduction over no axes is the identity (tfjs takes an empty list for all axes). */
const reduction =
  (run: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor): InterpretRule =>
  ([x], attrs) => {
    const axes = numbersAttr(attrs, 'axes');
    return axes.length === 0 ? tf.clone(x!) : run(x!, axes, attrs.keepDims === true);
  };

export const reduce: Rules = {
  Sum: reduction(tf.sum),
  Mean: reduction(tf.mean),
  Max: reduction(tf.max),
  Min: reduction(tf.min),
  Prod: reduction(tf.prod),
  All: reduction(tf.all),
  Any: reduction(tf.any),
  LogSumExp: reduction(tf.logSumExp),
  ArgMax: ([x], attrs) => tf.argMax(x!, numberAttr(attrs, 'axis')),
  ArgMin: ([x], attrs) => tf.argMin(x!, numberAttr(attrs, 'axis')),
  Cumsum: ([x], attrs) => tf.cumsum(x!, numberAttr(attrs, 'axis'), attrs.exclusive === true, attrs.reverse === true),
  Cumprod: ([x], attrs) => tf.cumprod(x!, numberAttr(attrs, 'axis'), attrs.exclusive === true, attrs.reverse === true),
  TopK: ([x], attrs) => {
    const { values, indices } = tf.topk(x!, numberAttr(attrs, 'k'), true);
    return [values, indices];
  },
  Softmax: ([x], attrs) => axisLast(x!, numberAttr(attrs, 'axis'), (y) => tf.softmax(y, -1)),
  LogSoftmax: ([x], attrs) => axisLast(x!, numberAttr(attrs, 'axis'), (y) => tf.logSoftmax(y, -1)),
};

/** tfjs has these ops along the last axis only. */
function axisLast(x: tf.Tensor, axis: number, run: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const perm = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const order = [...perm, axis];
  const back = x.shape.map((_, i) => order.indexOf(i));
  return axis === x.rank - 1 ? run(x) : tf.transpose(run(tf.transpose(x, order)), back);
}
