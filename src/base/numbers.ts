/** A fraction in percent, for messages. */
export function percent(fraction: number, digits = 2): string {
  return `${decimals(100 * fraction, digits)} %`;
}

/** Relative tolerance of halves: sums of floats are off by a few bits, in a direction that depends on their order. */
const BITS = 1e-9;

/** Text with `digits` decimals, rounding halves away from zero despite rounding errors of sums; a zero has no minus. */
export function decimals(value: number, digits: number): string {
  const text = (value + Math.sign(value) * BITS).toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** Text with four significant digits, halves away from zero. */
export function digits(value: number): string {
  return Math.abs(value) >= 1000 ? decimals(value, 0) : String(Number((value * (1 + BITS)).toPrecision(4)));
}

/** Index, relative to `from`, of the largest of `count` values, the first of equals. */
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

/** Text such as `7.6 GB`, `320 MB`. */
export function memoryText(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
