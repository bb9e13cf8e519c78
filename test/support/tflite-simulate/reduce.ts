import type { Call, Kernel, Values } from './kernel.ts';
import { clamp, ints, isQuantized, outputRange, rescaling, scaleOf, values, zeroPointOf } from './kernel.ts';
import type { FixedPoint } from './fixed-point.ts';
import { fixedPoint, multiply } from './fixed-point.ts';
import { emptyData, sizeOf } from './tensor.ts';

/** Elements of the input that each element of the output is computed from. */
function groups(call: Call): { members: number[][]; count: number } {
  const { shape } = call.inputs[0]!;
  const axes = new Set(ints(call, 1).map((axis) => (axis + shape.length) % shape.length));
  const members = Array.from({ length: sizeOf(call.outputs[0]!.shape) }, (): number[] => []);
  const kept = shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  const strides = kept.map((_, axis) => (axes.has(axis) ? 0 : sizeOf(kept.slice(axis + 1))));
  const inner = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  for (let i = 0; i < sizeOf(shape); i++) {
    const at = shape.reduce((sum, size, axis) => sum + (Math.floor(i / inner[axis]!) % size) * strides[axis]!, 0);
    members[at]!.push(i);
  }
  return { members, count: members[0]?.length ?? 0 };
}

function reduced(call: Call, fn: (x: Values, members: readonly number[]) => number): [Values] {
  const [x, out] = [values(call, 0), emptyData(call.outputs[0]!)];
  groups(call).members.forEach((members, i) => (out[i] = fn(x, members)));
  return [out];
}

function total(x: Values, members: readonly number[]): number {
  let sum = 0;
  for (const i of members) sum += x[i]!;
  return sum;
}

/** The reference kernels take the division by the number of elements into the multiplier; XNNPACK into its factor. */
const mean: Kernel = (call) => {
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  const { count } = groups(call);
  if (!isQuantized(output)) return reduced(call, (x, members) => total(x, members) / count);
  const ratio = scaleOf(input) / scaleOf(output);
  const point = divided(fixedPoint(ratio), count);
  const single = Math.fround(Math.fround(ratio) / count);
  const rescale =
    call.rounding === 'reference'
      ? (sum: number): number => multiply(sum, point)
      : rescaling('xnnpack', { double: ratio / count, single });
  return integerReduction(call, count, rescale);
};

const sum: Kernel = (call) => {
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  if (!isQuantized(output)) return reduced(call, total);
  const ratio = scaleOf(input) / scaleOf(output);
  const rescale = rescaling(call.rounding, { double: ratio, single: Math.fround(ratio) });
  return integerReduction(call, groups(call).count, rescale);
};

function integerReduction(call: Call, count: number, rescale: (sum: number) => number): [Values] {
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  const range = outputRange(output, {});
  return reduced(call, (x, members) =>
    clamp(rescale(total(x, members) - zeroPointOf(input) * count) + zeroPointOf(output), range),
  );
}

/** A factor over a count, with as many bits as the multiplier can hold. */
function divided({ multiplier, shift }: FixedPoint, count: number): FixedPoint {
  const bits = Math.min(Math.floor(Math.log2(count)), 32, 31 + shift);
  return { multiplier: Math.floor((multiplier * 2 ** bits) / count), shift: shift - bits };
}

function largest(x: Values, members: readonly number[]): number {
  return members.reduce((a, i) => Math.max(a, x[i]!), -Infinity);
}

function smallest(x: Values, members: readonly number[]): number {
  return members.reduce((a, i) => Math.min(a, x[i]!), Infinity);
}

const argument =
  (sign: 1 | -1): Kernel =>
  (call) =>
    reduced(call, (x, members) =>
      members.reduce((best, i, at) => (sign * x[i]! > sign * x[members[best]!]! ? at : best), 0),
    );

/** Rows along the last axis; of 8-bit integers with a table of exponentials in float32. */
const softmax: Kernel = (call) => {
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  const [x, out, depth] = [values(call, 0), emptyData(output), input.shape.at(-1)!];
  const beta = Number(call.options.beta ?? 1);
  const quantized = isQuantized(output);
  const step = Math.fround((quantized ? scaleOf(input) : 1) * beta);
  const range = outputRange(output, {});
  for (let start = 0; start < x.length; start += depth) {
    const row = Array.from(x.subarray(start, start + depth));
    const top = Math.max(...row);
    const powers = row.map((value) => Math.fround(Math.exp(Math.fround(step * (value - top)))));
    const whole = powers.reduce((a, b) => Math.fround(a + b), 0);
    const inverse = Math.fround(1 / Math.fround(whole * (quantized ? scaleOf(output) : 1)));
    powers.forEach((power, i) => {
      const share = Math.fround(power * inverse);
      out[start + i] = quantized ? clamp(Math.floor(share + 0.5) + zeroPointOf(output), range) : share;
    });
  }
  return [out];
};

export const reduce: Readonly<Record<string, Kernel>> = {
  MEAN: mean,
  SUM: sum,
  REDUCE_MAX: (call) => reduced(call, largest),
  REDUCE_MIN: (call) => reduced(call, smallest),
  ARG_MAX: argument(1),
  ARG_MIN: argument(-1),
  SOFTMAX: softmax,
};
