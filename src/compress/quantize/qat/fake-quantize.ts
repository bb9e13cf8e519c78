import * as tf from '@tensorflow/tfjs-core';
import { BIAS_STEPS } from '../../../graph/quantization.ts';
import { fakeQuant, fakeQuantGradient } from '../../../trace/ops/fake-quant.ts';

/**
 * Activation as int8 stores it, with a gradient: straight through where nothing is clipped, else zero (Jacob et al. 2018, "Quantization and
 * training of neural networks for efficient integer-arithmetic-only inference"). `scale` and `zeroPoint` have one element each and are not
 * trained by it.
 */
export function fakeQuantizeActivation(x: tf.Tensor, scale: tf.Tensor, zeroPoint: tf.Tensor): tf.Tensor {
  const run = tf.customGrad((value, save) => {
    (save as (tensors: tf.Tensor[]) => void)([value as tf.Tensor, scale, zeroPoint]);
    return {
      value: fakeQuant(value as tf.Tensor, scale, zeroPoint),
      gradFunc: (dy: tf.Tensor, [saved, s, z]: tf.Tensor[]) => fakeQuantGradient(dy, saved!, s!, z!),
    };
  });
  return run(x);
}

/** Scales and zero points of activations. */
export interface ScaleAndZero {
  readonly scale: tf.Tensor;
  readonly zeroPoint: tf.Tensor;
}

/**
 * Scale and zero point that spread -128 … 127 from `low` to `high`, element by element; low ≤ 0 ≤ high. The same float32
 * arithmetic as `quantizationOfRange`.
 */
export function scaleOfRange(low: tf.Tensor, high: tf.Tensor): ScaleAndZero {
  const scale = tf.maximum(tf.div(tf.sub(high, low), LEVELS), SMALLEST_SCALE);
  const zeroPoint = tf.clipByValue(tf.round(tf.sub(-128, tf.div(low, scale))), -128, 127);
  return { scale, zeroPoint };
}

const LEVELS = 255;
/** Constants in a smaller range count as zeros, as a scale of no normal number would divide by zero. */
const SMALLEST_RANGE = LEVELS * 2 ** -126;
/** Scale of an activation that is always 0: a scale of zero would divide by zero. */
export const SMALLEST_SCALE = Math.fround(1e-12);

/** Symmetric scales of weights, one for each slice along `axis` (kept as axes of size 1), or one for all. */
export function weightScale(weights: tf.Tensor, axis: number | undefined): tf.Tensor {
  const axes = weights.shape.map((_, i) => i).filter((i) => i !== axis);
  const largest = tf.max(tf.abs(weights), axes, true);
  return tf.div(tf.where(tf.less(largest, SMALLEST_RANGE), tf.onesLike(largest), largest), 127);
}

/**
 * Scales of weights, larger where the bias of their channel would not fit: `withRoomForBias` of tensors. `bias` [outputs]; a depthwise filter
 * may have several outputs for each of its scales.
 */
export function roomForBias(scale: tf.Tensor, bias: tf.Tensor, inputScale: tf.Tensor): tf.Tensor {
  const needed = tf.div(tf.div(tf.abs(bias), BIAS_STEPS), inputScale);
  if (scale.size === 1) return tf.maximum(scale, tf.max(needed));
  const several = bias.size / scale.size;
  return tf.maximum(scale, tf.reshape(needed, several === 1 ? scale.shape : [...scale.shape.slice(0, -1), several]));
}

/** One scale for each of `channels` outputs: a depthwise filter has one for each channel that comes in. */
export function perChannel(scale: tf.Tensor, channels: number): tf.Tensor {
  const flat = tf.reshape(scale, [scale.size]);
  if (scale.size === 1 || scale.size === channels) return flat;
  const repeat = channels / scale.size;
  return tf.reshape(tf.tile(tf.reshape(flat, [scale.size, 1]), [1, repeat]), [channels]);
}

/** Weights as int8 holds them, -127 … 127 steps of `scale`. Nothing is clipped, so the gradient goes straight through. */
export function fakeQuantizeWeights(weights: tf.Tensor, scale: tf.Tensor): tf.Tensor {
  return straightThrough(weights, (w) => tf.mul(tf.clipByValue(rounded(tf.div(w, scale)), -127, 127), scale));
}

/** A bias as int32 holds it: whole steps of input scale times weight scale. */
export function fakeQuantizeBias(bias: tf.Tensor, scale: tf.Tensor): tf.Tensor {
  return straightThrough(bias, (b) => tf.mul(rounded(tf.div(b, scale)), scale));
}

/** A constant operand of a sum or product: int8 with one scale over its own range, of a sum what of it matters, see `termRange`. */
export function fakeQuantizeOperand(
  operand: tf.Tensor,
  sum?: { other: ScaleAndZero; result: ScaleAndZero },
): tf.Tensor {
  const end = (step: number, { scale, zeroPoint }: ScaleAndZero): tf.Tensor => tf.mul(tf.sub(step, zeroPoint), scale);
  return straightThrough(operand, (x) => {
    let [low, high] = [tf.min(x), tf.max(x)];
    if (sum !== undefined) {
      const { other, result } = sum;
      low = tf.maximum(low, tf.sub(end(-128, result), end(127, other)));
      high = tf.minimum(high, tf.sub(end(127, result), end(-128, other)));
    }
    [low, high] = [tf.minimum(low, 0), tf.maximum(high, 0)];
    const range = tf.sub(high, low);
    const scale = tf.div(tf.where(tf.less(range, SMALLEST_RANGE), tf.onesLike(range), range), LEVELS);
    const zeroPoint = tf.clipByValue(tf.round(tf.sub(-128, tf.div(low, scale))), -128, 127);
    const steps = tf.clipByValue(tf.add(rounded(tf.div(x, scale)), zeroPoint), -128, 127);
    return tf.mul(tf.sub(steps, zeroPoint), scale);
  });
}

/** Rounds half away from zero, as the writers of the files do. */
function rounded(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sign(x), tf.floor(tf.add(tf.abs(x), 0.5)));
}

/** Bengio, Léonard & Courville 2013: the gradient of a step as if it were the identity. */
function straightThrough(x: tf.Tensor, compute: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.customGrad((value) => ({ value: compute(value as tf.Tensor), gradFunc: (dy: tf.Tensor) => dy }))(x);
}
