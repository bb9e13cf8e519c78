import { opSpec } from './ops.ts';
import type { DType, Graph, Node } from './types.ts';

/**
 * Integers that stand for a value: real = scale · (stored - zeroPoint). One scale for the whole tensor, or one for each
 * slice along `axis` (then the zero points are 0). Scales are float32 numbers.
 */
export interface TensorQuantization {
  readonly dtype: Extract<DType, 'int8' | 'uint8' | 'int16' | 'int32' | 'int64'>;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** The axis of the tensor as it lies in the graph; absent for one scale. */
  readonly axis?: number;
}

/**
 * Scales and zero points that post-training quantization or quantization-aware training found, by value name: activations
 * (graph inputs and node outputs) and weights (constants). A weight that is not named gets the range of its values. Read by
 * the ONNX (QDQ) and the TFLite writer alike.
 */
export type Quantization = ReadonlyMap<string, TensorQuantization>;

/**
 * Scales of the weights of a dense layer: one for all of them, or one for each of its outputs. ONNX Runtime takes either;
 * TensorFlow Lite takes the second from 2.17 on. Convolutions have one for each output channel in both.
 */
export type DenseScales = 'tensor' | 'channel';

export const integerRange: Readonly<Record<TensorQuantization['dtype'], readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** Smallest normal float32: kernels refuse smaller scales, and a scale of 0 divides by zero. */
const SMALLEST_NORMAL = 2 ** -126;

/** Step of a range divided into `steps` steps; 1 for a range too small for a step. */
function scaleOf(range: number, steps: number): number {
  const scale = Math.fround(range / steps);
  return scale >= SMALLEST_NORMAL ? scale : Math.fround(1 / steps);
}

/** Scale and zero point of an activation that takes values from `min` to `max`; the range is widened to hold 0, and what is always 0 counts as 0 … 1. */
export function asymmetric(min: number, max: number, dtype: 'int8' | 'uint8'): TensorQuantization {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const [first, last] = integerRange[dtype];
  const scale = scaleOf(high - low, last - first);
  const zeroPoint = Math.min(last, Math.max(first, Math.round(first - low / scale)));
  return { dtype, scales: [scale], zeroPoints: [zeroPoint] };
}

/** Symmetric scales of a tensor from the largest magnitudes of its slices (or of the whole), zero point 0. */
export function symmetric(magnitudes: readonly number[], dtype: 'int8' | 'int16', axis?: number): TensorQuantization {
  const last = integerRange[dtype][1];
  return {
    dtype,
    scales: magnitudes.map((magnitude) => scaleOf(magnitude, last)),
    zeroPoints: magnitudes.map(() => 0),
    ...(axis === undefined ? {} : { axis }),
  };
}

/** Smallest and largest real value that integers with one scale hold. */
export function heldRange({ dtype, scales, zeroPoints }: TensorQuantization): readonly [low: number, high: number] {
  const [first, last] = integerRange[dtype];
  return [(first - zeroPoints[0]!) * scales[0]!, (last - zeroPoints[0]!) * scales[0]!];
}

/**
 * Range of a constant term of a sum beyond which it makes no difference, as the result is at an end of its own range anyway. A mask of -1e9
 * in its own range would leave one step for everything that is added to it.
 */
export function termRange(other: TensorQuantization, result: TensorQuantization): readonly [low: number, high: number] {
  const [[low, high], [first, last]] = [heldRange(other), heldRange(result)];
  return [first - high, last - low];
}

/** Scale of the values of a constant, as far as they lie in `within`. */
export function constantScale(
  values: Float32Array,
  dtype: 'int8' | 'uint8' | 'int16',
  [least, most]: readonly [low: number, high: number] = [-Infinity, Infinity],
  isSymmetric = dtype === 'int16',
): TensorQuantization {
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [0, 0] as [number, number]); // prettier-ignore
  const [from, to] = [Math.max(least, low), Math.min(most, high)];
  if (isSymmetric && dtype !== 'uint8') return symmetric([Math.max(-from, to)], dtype);
  return asymmetric(from, to, dtype as 'int8' | 'uint8');
}

/** Most steps that a bias may take of an int32 sum: half of it is left to the products. */
export const BIAS_STEPS = 2 ** 30;

/**
 * Scales of weights, larger where the bias of their channel would not fit: it is stored as an int32 in steps of `inputScale` times the scale
 * of its channel. Weights that have all but vanished, as behind a batch norm whose factor went to zero, would leave nothing of it. Digits
 * that they lose are far below those of the bias.
 */
export function withRoomForBias(
  weights: TensorQuantization,
  bias: ArrayLike<number> | undefined,
  inputScale: number,
): TensorQuantization {
  const count = weights.scales.length;
  const needed = new Array<number>(count).fill(0);
  for (let i = 0; i < (bias?.length ?? 0); i++) {
    const slice = count === 1 ? 0 : i;
    needed[slice] = Math.max(needed[slice]!, Math.abs(bias![i]!) / BIAS_STEPS / inputScale);
  }
  if (weights.scales.every((scale, i) => scale >= needed[i]!)) return weights;
  return { ...weights, scales: weights.scales.map((scale, i) => Math.max(scale, Math.fround(needed[i]!))) };
}

/** The largest magnitude of each slice of a tensor along `axis`, or of the whole. */
export function magnitudes(values: Float32Array, shape: readonly number[], axis?: number): number[] {
  const slices = axis === undefined ? 1 : shape[axis]!;
  const inner = axis === undefined ? values.length : shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const largest = new Array<number>(slices).fill(0);
  for (let i = 0; i < values.length; i++) {
    const slice = Math.floor(i / inner) % slices;
    largest[slice] = Math.max(largest[slice]!, Math.abs(values[i]!));
  }
  return largest;
}

/** Layer in which each value is made, the name that users know it by. A value without a layer has its own name. */
export function layersOf({ nodes }: Graph): ReadonlyMap<string, string> {
  return new Map(nodes.flatMap(({ outputs, layer }) => outputs.map((name) => [name, layer ?? name] as const)));
}

/** True for an op that multiplies its input by weights. */
export function isLayer(op: string): boolean {
  const { product } = opSpec(op);
  return product === 'matrix' || product === 'convolution';
}

/** The nodes whose stored weights become integers: convolutions and dense layers. */
export function weightedNodes({ nodes, constants }: Graph): Node[] {
  return nodes.filter(({ op, inputs }) => {
    const weights = constants.get(inputs[1] ?? '');
    return isLayer(op) && weights?.data instanceof Float32Array && weights.type.shape.length > 1;
  });
}

/** Ratio of the widest to the narrowest part of a value with one scale of 8 bits: more would cost that part more than two of its bits. */
export const MOST_APART = 4;

/** Operators that are infinite at 0, which small numbers would be rounded to, such as a variance and the epsilon that is added to it. */
const INFINITE_AT_ZERO: ReadonlySet<string> = new Set(['SQRT', 'RSQRT', 'RECIPROCAL', 'LOG']);

/** True if an operator of ONNX or TFLite reads a value for a root, a logarithm or as a divisor. */
export function isDividedBy(name: string, { op, inputs }: Pick<Node, 'op' | 'inputs'>): boolean {
  const known = op.toUpperCase();
  return INFINITE_AT_ZERO.has(known) || (known === 'DIV' && inputs[0] !== name);
}
