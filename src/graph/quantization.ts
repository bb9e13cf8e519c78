import { opSpec } from './ops.ts';
import type { DType, Graph, Node } from './types.ts';

/**
 * Quantization of a tensor: real = scale · (stored - zeroPoint), with one scale, or one for each slice along `axis` (then zero points are 0). Scales
 * are float32 numbers.
 */
export interface TensorQuantization {
  readonly dtype: Extract<DType, 'int8' | 'uint8' | 'int16' | 'int32' | 'int64'>;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** Axis in the graph's layout; absent for one scale. */
  readonly axis?: number;
}

/**
 * Scales and zero points from post-training quantization or quantization-aware training, by value name: activations (graph inputs and node outputs)
 * and weights (constants). A weight without an entry gets the range of its values. Used by the ONNX (QDQ) and the TFLite writer.
 */
export type Quantization = ReadonlyMap<string, TensorQuantization>;

/**
 * Scales of a dense layer's weights: one for all, or one for each output. ONNX Runtime supports both; TensorFlow Lite supports one for each output
 * since 2.17. Convolutions have one for each output channel in both.
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

/** Step size of a range divided into `steps` steps; 1 for a range too small. */
function scaleOf(range: number, steps: number): number {
  const scale = Math.fround(range / steps);
  return scale >= SMALLEST_NORMAL ? scale : Math.fround(1 / steps);
}

/** Scale and zero point of an activation with values from `min` to `max`; the range is widened to include 0, and a constant 0 gets 0 … 1. */
export function asymmetric(min: number, max: number, dtype: 'int8' | 'uint8'): TensorQuantization {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const [first, last] = integerRange[dtype];
  const scale = scaleOf(high - low, last - first);
  const zeroPoint = Math.min(last, Math.max(first, Math.round(first - low / scale)));
  return { dtype, scales: [scale], zeroPoints: [zeroPoint] };
}

/** Symmetric scales from the largest magnitudes of the slices (or of the whole), with zero point 0. */
export function symmetric(magnitudes: readonly number[], dtype: 'int8' | 'int16', axis?: number): TensorQuantization {
  const last = integerRange[dtype][1];
  return {
    dtype,
    scales: magnitudes.map((magnitude) => scaleOf(magnitude, last)),
    zeroPoints: magnitudes.map(() => 0),
    ...(axis === undefined ? {} : { axis }),
  };
}

/** Smallest and largest real value that integers with this scale represent. */
export function heldRange({ dtype, scales, zeroPoints }: TensorQuantization): readonly [low: number, high: number] {
  const [first, last] = integerRange[dtype];
  return [(first - zeroPoints[0]!) * scales[0]!, (last - zeroPoints[0]!) * scales[0]!];
}

/**
 * Range of a sum's constant operand beyond which the result saturates anyway. A mask of -1e9 in its own range would leave a single step for the
 * values added to it.
 */
export function termRange(other: TensorQuantization, result: TensorQuantization): readonly [low: number, high: number] {
  const [[low, high], [first, last]] = [heldRange(other), heldRange(result)];
  return [first - high, last - low];
}

/** Scale of a constant's values, as far as they lie in `within`. */
export function constantScale(
  values: Float32Array,
  dtype: 'int8' | 'uint8' | 'int16',
  [least, most]: readonly [low: number, high: number] = [-Infinity, Infinity],
  isSymmetric = dtype === 'int16',
): TensorQuantization {
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [0, 0] as [
    number,
    number,
  ]);
  const [from, to] = [Math.max(least, low), Math.min(most, high)];
  if (isSymmetric && dtype !== 'uint8') return symmetric([Math.max(-from, to)], dtype);
  return asymmetric(from, to, dtype as 'int8' | 'uint8');
}

/** Maximum steps of a bias in an int32 sum: half of the range is left for the products. */
export const BIAS_STEPS = 2 ** 30;

/**
 * Scales of weights, enlarged if the bias of their channel would overflow: a bias is an int32 in steps of `inputScale` times its channel's scale.
 * Weights close to zero, as after a batch norm with a vanishing factor, would otherwise cut off the bias; the precision that they lose is far below
 * the bias' size.
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

/** Largest magnitude of each slice along `axis`, or of the whole tensor. */
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

/** Layer of each value, as users know it; a value without a layer is named by itself. */
export function layersOf({ nodes }: Graph): ReadonlyMap<string, string> {
  return new Map(nodes.flatMap(({ outputs, layer }) => outputs.map((name) => [name, layer ?? name] as const)));
}

/** True for an op that multiplies its input by weights. */
export function isLayer(op: string): boolean {
  const { product } = opSpec(op);
  return product === 'matrix' || product === 'convolution';
}

/** Nodes whose stored weights become integers: convolutions and dense layers. */
export function weightedNodes({ nodes, constants }: Graph): Node[] {
  return nodes.filter(({ op, inputs }) => {
    const weights = constants.get(inputs[1] ?? '');
    return isLayer(op) && weights?.data instanceof Float32Array && weights.type.shape.length > 1;
  });
}

/** Maximum ratio of the widest to the narrowest part of a value with one 8-bit scale: more would cost that part over two of its bits. */
export const MOST_APART = 4;

/** Operators that are infinite at 0, to which quantization would round small values, such as a variance plus epsilon. */
const INFINITE_AT_ZERO: ReadonlySet<string> = new Set(['SQRT', 'RSQRT', 'RECIPROCAL', 'LOG']);

/** Operators that add up values, such as the squares of a variance. */
const ADDING: ReadonlySet<string> = new Set(['ADD', 'SUM', 'MEAN', 'REDUCESUM', 'REDUCEMEAN']);

type Operator = Pick<Node, 'op' | 'inputs' | 'outputs'>;

/** Values that ONNX or TFLite operators only divide by, or take the root or logarithm of, or add to such values. `ends`: outputs of the model. */
export function divisorsOf(operators: readonly Operator[], ends: ReadonlySet<string>): ReadonlySet<string> {
  const [divisors, others] = [new Set<string>(), new Set(ends)];
  for (const { op, inputs, outputs } of operators.toReversed()) {
    const known = op.toUpperCase();
    const [first, second] = inputs;
    const isForDivisor = ADDING.has(known) && outputs.every((name) => divisors.has(name) && !others.has(name));
    for (const name of inputs) {
      const isDivided = INFINITE_AT_ZERO.has(known) || (known === 'DIV' && name === second && name !== first);
      (isDivided || isForDivisor ? divisors : others).add(name);
    }
  }
  return new Set([...divisors].filter((name) => !others.has(name)));
}

/** Reciprocals, also times constants, of ONNX or TFLite operators. A product with one of them is a division. */
export function reciprocalsOf(
  operators: readonly Operator[],
  isConstant: (name: string) => boolean,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { op, inputs, outputs } of operators) {
    const known = op.toUpperCase();
    const isReciprocal =
      known === 'RSQRT' ||
      known === 'RECIPROCAL' ||
      (known === 'DIV' && isConstant(inputs[0]!)) ||
      (known === 'MUL' && inputs.every((name) => found.has(name) || isConstant(name)));
    if (isReciprocal) found.add(outputs[0]!);
  }
  return found;
}
