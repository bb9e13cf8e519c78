import type { Histogram, ActivationRange } from './histogram.ts';

/**
 * Squared error that 8 bits over a range would cost all values of a histogram together: steps of s cost s² / 12 a value on
 * average, and a clipped value the square of its distance. Exact to the width of a bin.
 */
export function squaredErrorOf({ min, bins, width }: Histogram, range: ActivationRange): number {
  const step = (range.max - range.min) / 255;
  let sum = 0;
  for (let i = 0; i < bins.length; i++) {
    const value = min + (i + 0.5) * width;
    const distance = Math.max(0, value - range.max, range.min - value);
    sum += bins[i]! * ((step * step) / 12 + distance * distance);
  }
  return sum;
}
