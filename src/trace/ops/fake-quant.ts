import * as tf from '@tensorflow/tfjs-core';
import { BACKEND_NAME } from '../backend.ts';

const [FIRST, LAST] = [-128, 127];

/** x as represented in int8 with a scalar scale and zero point; without a gradient. */
export function fakeQuant(x: tf.Tensor, scale: tf.Tensor, zeroPoint: tf.Tensor): tf.Tensor {
  if (tf.engine().backendName === BACKEND_NAME) return tf.engine().runKernel('FakeQuant', { x, scale, zeroPoint });
  const [low, high] = [tf.sub(FIRST, zeroPoint), tf.sub(LAST, zeroPoint)];
  return tf.mul(tf.minimum(tf.maximum(tf.round(tf.div(x, scale)), low), high), scale);
}

/** Straight-through gradient of `fakeQuant`: dy if x was not clipped, else 0. */
export function fakeQuantGradient(dy: tf.Tensor, x: tf.Tensor, scale: tf.Tensor, zeroPoint: tf.Tensor): tf.Tensor {
  if (tf.engine().backendName === BACKEND_NAME)
    return tf.engine().runKernel('FakeQuantGrad', { dy, x, scale, zeroPoint });
  const steps = tf.add(tf.round(tf.div(x, scale)), zeroPoint);
  const inside = tf.logicalAnd(tf.greaterEqual(steps, FIRST), tf.lessEqual(steps, LAST));
  return tf.where(inside, dy, tf.zerosLike(dy));
}
