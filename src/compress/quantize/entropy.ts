import type { Histogram, ActivationRange } from './histogram.ts';

const LEVELS = 256;
const CANDIDATES = 128;

/**
 * The range whose 256 levels lose least of the distribution (Kullback-Leibler divergence; Migacz, "8-bit inference with
 * TensorRT", 2017). Both ends are held to the same magnitude, so that a distribution with one short and one long tail
 * keeps the short one. At least the bins of one level each stay: it cannot collapse.
 *
 * The divergence counts how many values are clipped, not how far: alone it clips what a model cannot do without (measured on
 * a ds-cnn for Fashion-MNIST: twenty times the error of the logits that min-max makes). So a range stands for election only
 * if its squared error is no larger than that of the whole range.
 */
export function entropy(histogram: Histogram): ActivationRange {
  const { min, max, bins, width } = histogram;
  const whole = { min, max };
  if (bins.length === 0 || bins.every((count) => count === 0)) return whole;
  const magnitude = Math.max(-min, max);
  const most = squaredErrorOf(histogram, whole);
  let best = { range: whole, loss: Infinity };
  for (let k = CANDIDATES; k > 0; k--) {
    const limit = (magnitude * k) / CANDIDATES;
    const range = { min: Math.max(min, -limit), max: Math.min(max, limit) };
    const first = Math.round((range.min - min) / width);
    const last = Math.min(bins.length, Math.round((range.max - min) / width));
    if (last - first < LEVELS) break;
    if (squaredErrorOf(histogram, range) > most) continue;
    const loss = divergence(bins, first, last);
    if (loss < best.loss) best = { range, loss };
  }
  return best.range;
}

/**
 * Kullback-Leibler divergence of the bins from `first` to `last`, with what lies outside added to the outermost, from the same bins drawn
 * with 256 levels, each of which spreads its count evenly over its bins that were not empty.
 */
function divergence(bins: Float64Array, first: number, last: number): number {
  const count = last - first;
  const reference = bins.slice(first, last);
  for (let i = 0; i < first; i++) reference[0]! += bins[i]!;
  for (let i = last; i < bins.length; i++) reference[count - 1]! += bins[i]!;
  const drawn = new Float64Array(count);
  for (let level = 0; level < LEVELS; level++) {
    const from = Math.floor((level * count) / LEVELS);
    const to = Math.floor(((level + 1) * count) / LEVELS);
    let [sum, filled] = [0, 0];
    for (let i = from; i < to; i++) {
      sum += bins[first + i]!;
      if (reference[i]! > 0) filled++;
    }
    for (let i = from; i < to; i++) if (reference[i]! > 0) drawn[i] = sum / filled;
  }
  return leibler(reference, drawn);
}

/** Σ p log(p / q), of counts that are made shares; a little is kept where q is empty and p is not. */
function leibler(p: Float64Array, q: Float64Array): number {
  let [ps, qs] = [0, 0];
  for (let i = 0; i < p.length; i++) {
    ps += p[i]!;
    qs += q[i]!;
  }
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    if (p[i]! > 0) sum += (p[i]! / ps) * Math.log(p[i]! / ps / Math.max(q[i]! / (qs || 1), 1e-12));
  }
  return sum;
}

/**
 * Squared error that 8 bits over a range would cost all values of a histogram together: steps of s cost s² / 12 a value on
 * average, and a clipped value the square of its distance. Exact to the width of a bin.
 */
function squaredErrorOf({ min, bins, width }: Histogram, range: ActivationRange): number {
  const step = (range.max - range.min) / 255;
  let sum = 0;
  for (let i = 0; i < bins.length; i++) {
    const value = min + (i + 0.5) * width;
    const distance = Math.max(0, value - range.max, range.min - value);
    sum += bins[i]! * ((step * step) / 12 + distance * distance);
  }
  return sum;
}
