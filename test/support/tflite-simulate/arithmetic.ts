import type { Call, Kernel, Values } from './kernel.ts';
import { clamp, isQuantized, outputRange, rescaling, scaleOf, values, zeroPointOf } from './kernel.ts';
import { fixedPoint, multiply, roundHalfEven } from './fixed-point.ts';
import { emptyData } from './tensor.ts';
import type { Declared } from './tensor.ts';

type Binary = (a: number, b: number) => number;

/** Applies a function to the elements of two operands, broadcast to the shape of the output. */
function broadcast(call: Call, fn: Binary): Values {
  const out = emptyData(call.outputs[0]!);
  const { shape } = call.outputs[0]!;
  const [a, b] = [values(call, 0), values(call, 1)];
  const [stepsA, stepsB] = [steps(call.inputs[0]!.shape, shape), steps(call.inputs[1]!.shape, shape)];
  const index = new Array<number>(shape.length).fill(0);
  let [atA, atB] = [0, 0];
  for (let i = 0; i < out.length; i++) {
    out[i] = fn(a[atA]!, b[atB]!);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      [atA, atB] = [atA + stepsA[axis]!, atB + stepsB[axis]!];
      if (++index[axis]! < shape[axis]!) break;
      [atA, atB] = [atA - stepsA[axis]! * shape[axis]!, atB - stepsB[axis]! * shape[axis]!];
      index[axis] = 0;
    }
  }
  return out;
}

/** Distance to the next element along each axis of the output; 0 where an operand is repeated. */
function steps(own: readonly number[], shape: readonly number[]): number[] {
  const padded = [...new Array<number>(shape.length - own.length).fill(1), ...own];
  return padded.map((size, axis) => (size === 1 ? 0 : padded.slice(axis + 1).reduce((a, b) => a * b, 1)));
}

const plain =
  (fn: Binary): Kernel =>
  (call) => {
    const range = outputRange(call.outputs[0]!, call.options);
    return [broadcast(call, (a, b) => clamp(fn(a, b), range))];
  };

/** The result without its zero point becomes a stored value. */
function stored(call: Call, fn: Binary): Values {
  const output = call.outputs[0]!;
  const [range, zeroPoint] = [outputRange(output, call.options), zeroPointOf(output)];
  return broadcast(call, (a, b) => clamp(fn(a, b) + zeroPoint, range));
}

/** Both operands are brought to twice the larger scale, with 20 bits behind the point. */
const sum =
  (sign: 1 | -1): Kernel =>
  (call) => {
    if (!isQuantized(call.outputs[0]!)) return plain((a, b) => Math.fround(a + sign * b))(call);
    return [stored(call, call.rounding === 'reference' ? referenceSum(call, sign) : xnnpackSum(call, sign))];
  };

function operandsOf({ inputs, outputs }: Call): [Declared, Declared, Declared] {
  return [inputs[0]!, inputs[1]!, outputs[0]!];
}

function referenceSum(call: Call, sign: 1 | -1): Binary {
  const [a, b, output] = operandsOf(call);
  const twice = 2 * Math.max(scaleOf(a), scaleOf(b));
  const [first, second] = [fixedPoint(scaleOf(a) / twice), fixedPoint(scaleOf(b) / twice)];
  const last = fixedPoint(twice / (2 ** 20 * scaleOf(output)));
  const [zeroA, zeroB] = [zeroPointOf(a), zeroPointOf(b)];
  return (x, y) =>
    multiply(multiply((x - zeroA) * 2 ** 20, first) + sign * multiply((y - zeroB) * 2 ** 20, second), last);
}

/** Two multipliers of 21 bits and one shift. */
function xnnpackSum(call: Call, sign: 1 | -1): Binary {
  const [a, b, output] = operandsOf(call);
  const factors = [a, b].map((operand) => Math.fround(scaleOf(operand) / scaleOf(output)));
  const unit = 2 ** (20 - exponent(Math.max(...factors)));
  const [first, second] = factors.map((factor) => roundHalfEven(factor * unit)) as [number, number];
  const [zeroA, zeroB] = [zeroPointOf(a), zeroPointOf(b)];
  return (x, y) => Math.floor((first * (x - zeroA) + sign * second * (y - zeroB)) / unit + 0.5);
}

function exponent(value: number): number {
  const guess = Math.floor(Math.log2(value));
  return 2 ** guess > value ? guess - 1 : 2 ** (guess + 1) <= value ? guess + 1 : guess;
}

const product: Kernel = (call) => {
  const [a, b, output] = operandsOf(call);
  if (!isQuantized(output)) return plain((x, y) => Math.fround(x * y))(call);
  // TFLite computes this factor in float32 throughout.
  const single = Math.fround(Math.fround(scaleOf(a) * scaleOf(b)) / scaleOf(output));
  const rescale = rescaling(call.rounding, { double: single, single });
  const [zeroA, zeroB] = [zeroPointOf(a), zeroPointOf(b)];
  return [stored(call, (x, y) => rescale((x - zeroA) * (y - zeroB)))];
};

/** (a - b)², with 7 bits behind the point before it is squared. */
const squaredDifference: Kernel = (call) => {
  const [a, b, output] = operandsOf(call);
  if (!isQuantized(output)) return plain((x, y) => Math.fround((x - y) ** 2))(call);
  const twice = 2 * Math.max(scaleOf(a), scaleOf(b));
  const [first, second] = [fixedPoint(scaleOf(a) / twice), fixedPoint(scaleOf(b) / twice)];
  const last = fixedPoint(twice ** 2 / (2 ** 14 * scaleOf(output)));
  const [zeroA, zeroB] = [zeroPointOf(a), zeroPointOf(b)];
  const difference: Binary = (x, y) => multiply((x - zeroA) * 2 ** 7, first) - multiply((y - zeroB) * 2 ** 7, second);
  return [stored(call, (x, y) => multiply(difference(x, y) ** 2, last))];
};

/** Positive values are brought to the output's scale by one factor, negative ones by another. */
const prelu: Kernel = (call) => {
  const [x, slope, output] = operandsOf(call);
  if (!isQuantized(output)) return plain((value, by) => (value < 0 ? Math.fround(value * by) : value))(call);
  const positive = fixedPoint(scaleOf(x) / scaleOf(output));
  const negative = fixedPoint((scaleOf(x) * scaleOf(slope)) / scaleOf(output));
  const [zeroX, zeroSlope] = [zeroPointOf(x), zeroPointOf(slope)];
  return [
    stored(call, (value, by) =>
      value >= zeroX ? multiply(value - zeroX, positive) : multiply((value - zeroX) * (by - zeroSlope), negative),
    ),
  ];
};

const test = (fn: (a: number, b: number) => boolean): Kernel => plain((a, b) => (fn(a, b) ? 1 : 0));

const select: Kernel = (call) => {
  const [condition, yes, no] = call.inputs;
  const pick = (operand: typeof yes): Values => broadcast({ ...call, inputs: [operand, condition] }, (value) => value);
  const which = broadcast({ ...call, inputs: [condition, condition] }, (value) => value);
  const [whenTrue, whenFalse] = [pick(yes), pick(no)];
  return [which.map((value, i) => (value === 0 ? whenFalse[i]! : whenTrue[i]!))];
};

export const arithmetic: Readonly<Record<string, Kernel>> = {
  ADD: sum(1),
  SUB: sum(-1),
  MUL: product,
  DIV: plain((a, b) => Math.fround(a / b)),
  MAXIMUM: plain(Math.max),
  MINIMUM: plain(Math.min),
  POW: plain((a, b) => Math.fround(a ** b)),
  SQUARED_DIFFERENCE: squaredDifference,
  PRELU: prelu,
  EQUAL: test((a, b) => a === b),
  NOT_EQUAL: test((a, b) => a !== b),
  LESS: test((a, b) => a < b),
  LESS_EQUAL: test((a, b) => a <= b),
  GREATER: test((a, b) => a > b),
  GREATER_EQUAL: test((a, b) => a >= b),
  LOGICAL_AND: plain((a, b) => a & b),
  LOGICAL_OR: plain((a, b) => a | b),
  SELECT_V2: select,
};
