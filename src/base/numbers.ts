/** A fraction in percent, for messages. */
export function percent(fraction: number, digits = 2): string {
  return `${decimals(100 * fraction, digits)} %`;
}

/** Sums and differences of floats are a few bits beside the half that they stand for, above it or below it by the order of the sums. */
const BITS = 1e-9;

/** Text with `digits` decimals, halves away from zero, whatever the rounding errors of a sum; a zero has no minus. */
export function decimals(value: number, digits: number): string {
  const text = (value + Math.sign(value) * BITS).toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** Four digits that say something, halves away from zero. */
export function digits(value: number): string {
  return Math.abs(value) >= 1000 ? decimals(value, 0) : String(Number((value * (1 + BITS)).toPrecision(4)));
}

/** Position of the largest of `count` values from `from` on; the first of equal ones. */
export function argMax(values: ArrayLike<number | bigint>, from: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[from + i]! > values[from + best]!) best = i;
  return best;
}

/** Largest whole number that divides both. */
export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export function product(values: Iterable<number>): number {
  let total = 1;
  for (const value of values) total *= value;
  return total;
}
