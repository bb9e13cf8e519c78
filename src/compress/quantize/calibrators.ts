import type { Histogram, ActivationRange } from './histogram.ts';
import { sum } from '../../base/numbers.ts';

/** Choice of the range that 8 bits are spread over; values outside are clipped. The observed range includes 0. */
export type Calibrator = (histogram: Histogram) => ActivationRange;

/** Share of the nonzero values that a percentile clips at each end. */
const CLIPPED = 0.0001 / 2;
/** Steps between 0 and an end of the range at which the search for the least squared error looks. */
const SEARCH = 200;

const minmax: Calibrator = ({ min, max }) => ({ min, max });

/** Range without the rarest values at each end, exact to the width of a bin. */
const percentile: Calibrator = ({ min, max, bins, start, width }) => {
  const tail = sum(bins) * CLIPPED;
  if (tail === 0) return { min, max };
  const cut = (from: number, step: 1 | -1): number => {
    let bin = from;
    for (let seen = bins[bin]!; seen <= tail; seen += bins[bin]!) bin += step;
    return bin;
  };
  const [first, last] = [cut(0, 1), cut(bins.length - 1, -1)];
  return {
    min: first === 0 ? min : Math.min(0, start + first * width),
    max: last === bins.length - 1 ? max : Math.max(0, start + (last + 1) * width),
  };
};

/**
 * Least mean squared error: rounding to steps of s costs s² / 12 a value on average, clipping the square of the distance.
 * The ends are moved in turn, as one bears on the other only through the step.
 */
const mse: Calibrator = (histogram) => {
  const { min, max, bins } = histogram;
  const count = sum(bins);
  const [below, above] = [clipping(histogram, min), clipping(histogram, max)];
  const cost = (low: number, high: number): number => {
    const step = (max * high - min * low) / SEARCH / 255;
    return (count * step * step) / 12 + below[low]! + above[high]!;
  };
  let [low, high] = [SEARCH, SEARCH];
  for (let round = 0; round < 4; round++) {
    high = max === 0 ? SEARCH : cheapest((candidate) => cost(low, candidate));
    low = min === 0 ? SEARCH : cheapest((candidate) => cost(candidate, high));
  }
  return { min: (min * low) / SEARCH, max: (max * high) / SEARCH };
};

export const calibrators = { minmax, percentile, mse } as const satisfies Record<string, Calibrator>;

export type CalibratorName = keyof typeof calibrators;

/** Error of clipping one end at k / SEARCH of it, for each k: sums over the bins beyond, from their first three moments. */
function clipping({ bins, start, width }: Histogram, end: number): Float64Array {
  const costs = new Float64Array(SEARCH + 1);
  const outward = end > 0;
  let [count, sum, squares, seen] = [0, 0, 0, 0];
  for (let k = SEARCH; k >= 0; k--) {
    const limit = (end * k) / SEARCH;
    for (; seen < bins.length; seen++) {
      const bin = outward ? bins.length - 1 - seen : seen;
      const value = start + (bin + 0.5) * width;
      if (outward ? value <= limit : value >= limit) break;
      count += bins[bin]!;
      sum += bins[bin]! * value;
      squares += bins[bin]! * value * value;
    }
    costs[k] = Math.max(0, squares - 2 * limit * sum + limit * limit * count);
  }
  return costs;
}

/** Candidate from 1 to SEARCH with the smallest cost; of equals the widest. */
function cheapest(cost: (candidate: number) => number): number {
  let best = SEARCH;
  for (let candidate = SEARCH - 1; candidate > 0; candidate--) if (cost(candidate) < cost(best)) best = candidate;
  return best;
}
