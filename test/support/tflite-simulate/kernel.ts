import type { TensorData } from '../../../src/graph/types.ts';
import { integerRange } from '../../../src/graph/quantization.ts';
import type { Fields } from '../../../src/formats/tflite/schema/notation.ts';
import { fixedPoint, multiply, roundHalfEven } from './fixed-point.ts';
import { roundHalfAway } from '../../../src/formats/tflite/quantize/weights.ts';
import type { Declared, Simulated } from './tensor.ts';

/**
 * Ways from sums of products back to 8-bit numbers:
 * - `reference`: by 31-bit multipliers and shifts, as TFLite's own kernels;
 * - `xnnpack`: by a float32 factor, halves to even, as the XNNPACK delegate, which interpreters use unless told otherwise.
 */
export type Rounding = 'reference' | 'xnnpack';

/** One operation with its operands, an absent one undefined. */
export interface Call {
  readonly op: string;
  readonly inputs: readonly (Simulated | undefined)[];
  readonly outputs: readonly Declared[];
  readonly options: Fields;
  readonly rounding: Rounding;
}

/** The values of the outputs of a call. */
export type Kernel = (call: Call) => TensorData[];

export type Values = Exclude<TensorData, BigInt64Array>;

/** The values of operand `i`, which is there and not of 64 bits. */
export function values(call: Call, i: number): Values {
  return call.inputs[i]!.data as Values;
}

export function ints(call: Call, i: number): number[] {
  return Array.from(call.inputs[i]!.data as Int32Array, Number);
}

export function isQuantized({ type, scales }: Declared): boolean {
  return scales.length > 0 && (type === 'int8' || type === 'uint8');
}

export function scaleOf({ scales }: Declared): number {
  return scales[0] ?? 1;
}

export function zeroPointOf({ zeroPoints }: Declared): number {
  return zeroPoints[0] ?? 0;
}

/** The scale in float32 arithmetic, and in double where TFLite computes it so. */
export interface Factor {
  readonly double: number;
  readonly single: number;
}

/** Integers times a factor, rounded to integers; `rounded` is how the reference kernel does it. */
export function rescaling(rounding: Rounding, { double, single }: Factor, rounded = multiply): (sum: number) => number {
  const { fround } = Math;
  if (rounding === 'xnnpack') return (sum) => roundHalfEven(fround(fround(sum) * single));
  const point = fixedPoint(double);
  return (sum) => rounded(sum, point);
}

/** Smallest and largest value of an output with a fused activation. */
export function outputRange(output: Declared, { fusedActivationFunction }: Fields): [number, number] {
  const bounds = [undefined, [0, Infinity], [-1, 1], [0, 6]][Number(fusedActivationFunction ?? 0)] as
    [number, number] | undefined;
  if (!isQuantized(output)) return bounds ?? [-Infinity, Infinity];
  const [first, last] = integerRange[output.type as 'int8' | 'uint8'];
  if (bounds === undefined) return [first, last];
  const stored = (real: number): number => zeroPointOf(output) + roundHalfAway(Math.fround(real / scaleOf(output)));
  return [Math.max(first, stored(bounds[0])), Math.min(last, stored(bounds[1]))];
}

export function clamp(value: number, [low, high]: readonly [number, number]): number {
  return value < low ? low : value > high ? high : value;
}
