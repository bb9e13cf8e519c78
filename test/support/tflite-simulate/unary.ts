import { integerRange } from '../../../src/graph/quantization.ts';
import { roundHalfAway } from '../../../src/formats/tflite/quantize/weights.ts';
import type { Call, Kernel, Values } from './kernel.ts';
import { clamp, isQuantized, outputRange, scaleOf, values, zeroPointOf } from './kernel.ts';
import { fixedPoint, multiply, roundHalfEven } from './fixed-point.ts';
import { emptyData } from './tensor.ts';

type Unary = (x: number) => number;

function mapped(call: Call, fn: Unary): [Values] {
  const [x, out] = [values(call, 0), emptyData(call.outputs[0]!)];
  for (let i = 0; i < out.length; i++) out[i] = fn(x[i]!);
  return [out];
}

/** Computed in float32; of 8-bit integers, in a table of the 256 results. */
const computed =
  (make: (call: Call) => Unary): Kernel =>
  (call) => {
    const [input, output] = [call.inputs[0]!, call.outputs[0]!];
    const fn = make(call);
    if (!isQuantized(output)) return mapped(call, fn);
    const range = outputRange(output, {});
    const [first] = integerRange[input.type as 'int8' | 'uint8'];
    const inverse = Math.fround(1 / scaleOf(output));
    const table = Array.from({ length: 256 }, (_, i) => {
      const real = Math.fround(fn(Math.fround(scaleOf(input) * (first + i - zeroPointOf(input)))));
      return clamp(roundHalfAway(Math.fround(real * inverse)) + zeroPointOf(output), range);
    });
    return mapped(call, (x) => table[x - first]!);
  };

const sigmoid: Unary = (x) => 1 / (1 + Math.exp(-x));

/** Error function, by its series for small x and by the continued fraction of its complement for large ones: exact beyond float32. */
function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 3) return Math.sign(x) * (1 - tail(magnitude));
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function tail(x: number): number {
  let fraction = x;
  for (let n = 40; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI));
}

const gelu = ({ options }: Call): Unary =>
  options.approximate === true
    ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
    : (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));

/** An activation that clips: the input brought to the output's scale. */
const clipping =
  (low: number, high: number, activation: number): Kernel =>
  (call) => {
    const [input, output] = [call.inputs[0]!, call.outputs[0]!];
    if (!isQuantized(output)) return mapped(call, (x) => Math.min(high, Math.max(low, x)));
    const range = outputRange(output, { fusedActivationFunction: activation });
    const rescale = requantizing(call);
    return mapped(call, (x) => clamp(rescale(x - zeroPointOf(input)) + zeroPointOf(output), range));
  };

/** One 8-bit scale to another: XNNPACK's factor has 8 bits behind the point. */
function requantizing({ inputs, outputs, rounding }: Call, by = 1): Unary {
  const ratio = (scaleOf(inputs[0]!) / scaleOf(outputs[0]!)) * by;
  if (rounding === 'xnnpack') {
    const factor = roundHalfEven(256 * Math.fround(ratio));
    return (x) => Math.floor((x * factor + 128) / 256);
  }
  const point = fixedPoint(Math.abs(ratio));
  return (x) => Math.sign(ratio) * multiply(x, point);
}

const leakyRelu: Kernel = (call) => {
  const alpha = Number(call.options.alpha);
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  if (!isQuantized(output)) return mapped(call, (x) => (x < 0 ? x * alpha : x));
  const [positive, negative] = [requantizing(call), requantizing(call, alpha)];
  const range = outputRange(output, {});
  return mapped(call, (x) => {
    const value = x - zeroPointOf(input);
    return clamp((value >= 0 ? positive : negative)(value) + zeroPointOf(output), range);
  });
};

const quantize: Kernel = (call) => {
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  const [range, zeroPoint] = [outputRange(output, {}), zeroPointOf(output)];
  if (isQuantized(input)) {
    const rescale = requantizing(call);
    return mapped(call, (x) => clamp(rescale(x - zeroPointOf(input)) + zeroPoint, range));
  }
  const inverse = Math.fround(1 / scaleOf(output));
  const rounded: Unary =
    call.rounding === 'xnnpack'
      ? (x) => roundHalfEven(Math.fround(x * inverse))
      : (x) => roundHalfAway(Math.fround(x / scaleOf(output)));
  return mapped(call, (x) => clamp(rounded(x) + zeroPoint, range));
};

const dequantize: Kernel = (call) => {
  const input = call.inputs[0]!;
  if (!isQuantized(input)) return mapped(call, (x) => x);
  return mapped(call, (x) => Math.fround(scaleOf(input) * (x - zeroPointOf(input))));
};

const cast: Kernel = (call) => {
  const type = call.outputs[0]!.type;
  return mapped(call, type === 'float32' ? (x) => x : type === 'bool' ? (x) => (x === 0 ? 0 : 1) : Math.trunc);
};

const of = (fn: Unary): Kernel => computed(() => fn);

export const unary: Readonly<Record<string, Kernel>> = {
  ABS: of(Math.abs),
  CEIL: of(Math.ceil),
  COS: of(Math.cos),
  ELU: of((x) => (x < 0 ? Math.expm1(x) : x)),
  EXP: of(Math.exp),
  FLOOR: of(Math.floor),
  GELU: computed(gelu),
  HARD_SWISH: of((x) => (x * Math.min(6, Math.max(0, x + 3))) / 6),
  LOG: of(Math.log),
  LOGISTIC: of(sigmoid),
  LOGICAL_NOT: of((x) => (x === 0 ? 1 : 0)),
  NEG: of((x) => -x),
  ROUND: of(roundHalfEven),
  RSQRT: of((x) => 1 / Math.sqrt(x)),
  SIGN: of(Math.sign),
  SIN: of(Math.sin),
  SQRT: of(Math.sqrt),
  SQUARE: of((x) => x * x),
  TANH: of(Math.tanh),
  RELU: clipping(0, Infinity, 1),
  RELU_N1_TO_1: clipping(-1, 1, 2),
  RELU6: clipping(0, 6, 3),
  LEAKY_RELU: leakyRelu,
  QUANTIZE: quantize,
  DEQUANTIZE: dequantize,
  CAST: cast,
};
