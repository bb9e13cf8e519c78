/** A factor as TFLite's integer kernels hold it: multiplier · 2^(shift - 31), the multiplier a 31-bit integer. */
export interface FixedPoint {
  readonly multiplier: number;
  readonly shift: number;
}

const TWO_31 = 2 ** 31;

// Looked up once: a simulation calls these for every value that it computes.
const { abs, floor, round } = Math;

/** The nearest such number to `value`, which must not be negative. */
export function fixedPoint(value: number): FixedPoint {
  if (value === 0) return { multiplier: 0, shift: 0 };
  let shift = Math.floor(Math.log2(value)) + 1;
  let fraction = value / 2 ** shift;
  // log2 may err by one next to a power of two.
  if (fraction >= 1) [fraction, shift] = [fraction / 2, shift + 1];
  if (fraction < 0.5) [fraction, shift] = [fraction * 2, shift - 1];
  let multiplier = Math.round(fraction * TWO_31);
  if (multiplier === TWO_31) [multiplier, shift] = [multiplier / 2, shift + 1];
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/**
 * x · factor as the reference kernels round it: the upper 32 bits of the doubled product, a half rounded up, and then a
 * shift to the right that rounds halves away from zero. `x` is an int32.
 */
export function multiply(x: number, { multiplier, shift }: FixedPoint): number {
  const left = shift > 0 ? x * 2 ** shift : x;
  const high = doublingHigh(left | 0, multiplier);
  return shift < 0 ? shiftedRight(high, -shift) : high;
}

/** x · factor rounded once, halves up: what the reference kernel of dense layers does, alone among them. */
export function multiplyOnce(x: number, { multiplier, shift }: FixedPoint): number {
  const [low, bits] = [multiplier & 0xffff, 31 - shift];
  const high = (multiplier - low) / 65536;
  // In two parts, whose products have 53 bits at most.
  const [upper, lower] = [x * high, x * low + 2 ** (bits - 1)];
  return bits >= 16
    ? floor((upper + floor(lower / 65536)) / 2 ** (bits - 16))
    : upper * 2 ** (16 - bits) + floor(lower / 2 ** bits);
}

/** (a · b + 2^30) / 2^31, towards zero for negative products; exact, though the product has 62 bits. */
function doublingHigh(a: number, b: number): number {
  const [magnitude, nudge] = a < 0 ? [-a, 2 ** 30 - 1] : [a, 2 ** 30];
  const low = b & 0xffff;
  const high = (b - low) / 65536;
  const quotient = floor((magnitude * high + floor((magnitude * low + nudge) / 65536)) / 32768);
  return a < 0 ? -quotient : quotient;
}

/** x / 2^bits, halves away from zero. */
function shiftedRight(x: number, bits: number): number {
  const magnitude = floor(abs(x) / 2 ** bits + 0.5);
  return x < 0 ? -magnitude : magnitude;
}

/** Nearest integer, halves to even, as C's rint in its usual mode. */
export function roundHalfEven(value: number): number {
  const rounded = round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
