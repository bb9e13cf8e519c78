import type { DenseScales, TensorQuantization } from '../../../graph/quantization.ts';
import { integerRange, magnitudes, symmetric } from '../../../graph/quantization.ts';
import { CHANNEL_AXES } from '../fuse/affine.ts';
import type { TfliteValue } from '../lower/program.ts';
import type { BuiltinOperator } from '../schema/operators.ts';

/**
 * Scales of a filter: given ones, else by its largest weights, one for each output channel or, with `dense: 'tensor'`, one for a whole dense layer.
 */
export function weightQuantization(
  op: BuiltinOperator,
  { type, data, quantization }: TfliteValue,
  dense: DenseScales,
): TensorQuantization {
  const shape = type.shape as readonly number[];
  if (quantization !== undefined) return perChannel(quantization, shape, CHANNEL_AXES[op]);
  const axis = op === 'FULLY_CONNECTED' && dense === 'tensor' ? undefined : CHANNEL_AXES[op];
  return symmetric(magnitudes(data as Float32Array, shape, axis), 'int8', axis);
}

/** Scales given for [in] channels of a depthwise filter with a multiplier are repeated for in · multiplier. */
function perChannel(given: TensorQuantization, shape: readonly number[], axis?: number): TensorQuantization {
  if (given.scales.length === 1 || axis === undefined) return given;
  const channels = shape[axis]!;
  const repeat = channels / given.scales.length;
  const spread = (values: readonly number[]): number[] =>
    Array.from({ length: channels }, (_, i) => values[Math.floor(i / repeat)]!);
  return { ...given, axis, scales: spread(given.scales), zeroPoints: spread(given.zeroPoints) };
}

type Integers = Int8Array | Uint8Array | Int16Array | Int32Array;

/** Values as integers. Weights are limited to -127 … 127, as the TFLite quantization specification requires. */
export function quantized(
  values: Float32Array,
  shape: readonly number[],
  { dtype, scales, zeroPoints, axis }: TensorQuantization,
  narrow = false,
): Integers {
  const [lowest, last] = integerRange[dtype];
  const first = narrow ? -last : lowest;
  const inner = axis === undefined ? 1 : shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const out = newIntegers(dtype, values.length);
  for (let i = 0; i < values.length; i++) {
    const slice = scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length;
    const value = roundHalfAway(values[i]! / scales[slice]!) + (zeroPoints[slice] ?? 0);
    out[i] = Math.min(last, Math.max(first, value));
  }
  return out;
}

function newIntegers(dtype: TensorQuantization['dtype'], length: number): Integers {
  switch (dtype) {
    case 'int8':
      return new Int8Array(length);
    case 'uint8':
      return new Uint8Array(length);
    case 'int16':
      return new Int16Array(length);
    default:
      return new Int32Array(length);
  }
}

/** Rounds halves away from zero, like C's round, which converter and kernels use. */
export function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}
