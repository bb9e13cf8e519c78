import * as tf from '@tensorflow/tfjs-core';
import type { TensorQuantization } from '../../../graph/quantization.ts';
import { sliceOf } from '../rounding.ts';

/** The stretch of the sigmoid (Louizos et al. 2018): its ends reach 0 and 1 for finite arguments. */
const [GAMMA, ZETA] = [-0.1, 1.1];
/** Largest step of int8 weights. */
const LAST = 127;

/** h(V) = clip(σ(V)(ζ - γ) + γ, 0, 1) (Nagel et al. 2020, "Up or down? Adaptive rounding", equation 23). */
export function rectifiedSigmoid(v: tf.Tensor): tf.Tensor {
  return tf.clipByValue(tf.add(tf.mul(tf.sigmoid(v), ZETA - GAMMA), GAMMA), 0, 1);
}

/** f(V) = Σ (1 - |2h(V) - 1|^β), as a mean: 0 where every weight is rounded up or down (equation 24). */
export function undecided(h: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  return tf.mean(tf.sub(1, tf.pow(tf.abs(tf.sub(tf.mul(h, 2), 1)), beta)));
}

/** Weights with h between down (0) and up (1) (equation 22); `floor` and the limits in steps of `scale`. */
export function softWeights(floor: tf.Tensor, h: tf.Tensor, scale: tf.Tensor): tf.Tensor {
  return tf.mul(tf.clipByValue(tf.add(floor, h), -LAST, LAST), scale);
}

/** h is 0 there, and its gradient too. */
const DOWN = -20;

/**
 * Steps below each weight, and the V of its own fraction: the search starts at the weights themselves. What is exactly 0,
 * as after pruning, stays 0.
 */
export function startOf(
  values: Float32Array,
  shape: readonly number[],
  q: TensorQuantization,
): { readonly floor: Float32Array; readonly v: Float32Array } {
  const slice = sliceOf(shape, q.axis);
  const floor = new Float32Array(values.length);
  const v = values.map((value, i) => {
    const steps = value / q.scales[slice(i)]!;
    floor[i] = Math.floor(steps);
    return value === 0 ? DOWN : -Math.log((ZETA - GAMMA) / (steps - floor[i] - GAMMA) - 1);
  });
  return { floor, v };
}

/** The steps that are left when every weight goes to its nearer end: h(V) ≥ ½ is V ≥ 0. */
export function decided(floor: Float32Array, v: Float32Array): Int8Array {
  return Int8Array.from(floor, (steps, i) => Math.min(LAST, Math.max(-LAST, steps + (v[i]! >= 0 ? 1 : 0))));
}

/** Weights as numbers of steps, rounded to nearest and half away from zero, as the writers of files round. */
export function nearestSteps(values: Float32Array, shape: readonly number[], q: TensorQuantization): Int8Array {
  const slice = sliceOf(shape, q.axis);
  return Int8Array.from(values, (value, i) => {
    const steps = Math.sign(value) * Math.round(Math.abs(value) / q.scales[slice(i)]!);
    return Math.min(LAST, Math.max(-LAST, steps));
  });
}

/** Weights that these numbers of steps stand for; the writers of files turn them into the same steps again. */
export function weightsOf(steps: Int8Array, shape: readonly number[], q: TensorQuantization): Float32Array {
  const slice = sliceOf(shape, q.axis);
  return Float32Array.from(steps, (value, i) => value * q.scales[slice(i)]!);
}
