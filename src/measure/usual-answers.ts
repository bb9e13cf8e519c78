import { z } from 'zod';
import { argMax, sum } from '../base/numbers.ts';

const whole = z.int().min(0);
const histogram = z.strictObject({
  edges: z.array(z.number()).readonly().describe('Ascending; bin i holds values above edge i - 1, up to edge i.'),
  counts: z.array(whole).readonly(),
});

/** Distribution of a model's answers on a split. Answers to requests, whose labels are unknown, are compared with it later. */
export const usualSchema = z.strictObject({
  split: z.enum(['test', 'validation']),
  samples: whole,
  confidence: histogram.describe('Probability of the class that was given.'),
  entropy: histogram.describe('Of all probabilities, in nats.'),
  classes: z.array(whole).readonly().describe('Samples by the class that was given.'),
});

type Histogram = z.infer<typeof histogram>;
export type UsualAnswers = Readonly<z.infer<typeof usualSchema>>;

/** One answer: the class, its softmax probability, and the entropy of all probabilities in nats. */
export interface Spread {
  readonly best: number;
  readonly confidence: number;
  readonly entropy: number;
}

/** Number of bins with nearly equal numbers of samples: with bins of equal width, most samples of a good model would share one. */
const BINS = 20;

/** `logits`: [samples, classes]. */
export function usualAnswers(logits: Float32Array, classes: number, split: UsualAnswers['split']): UsualAnswers {
  const samples = logits.length / classes;
  const all = Array.from({ length: samples }, (_, row) => spreadOf(logits, row * classes, classes));
  const counts = Array.from({ length: classes }, () => 0);
  for (const { best } of all) counts[best]!++;
  return {
    split,
    samples,
    confidence: histogramOf(all.map(({ confidence }) => confidence)),
    entropy: histogramOf(all.map(({ entropy }) => entropy)),
    classes: counts,
  };
}

export function spreadOf(logits: ArrayLike<number>, from: number, classes: number): Spread {
  const best = argMax(logits, from, classes);
  let sum = 0;
  let weighted = 0;
  for (let c = 0; c < classes; c++) {
    const below = logits[from + c]! - logits[from + best]!;
    const power = Math.exp(below);
    sum += power;
    if (power > 0) weighted += power * below;
  }
  return { best, confidence: 1 / sum, entropy: Math.log(sum) - weighted / sum };
}

function histogramOf(values: readonly number[]): Histogram {
  const sorted = [...values].sort((a, b) => a - b);
  const largest = sorted.at(-1)!;
  const quantiles = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)]!);
  const rounded = quantiles.map((value) => Number(value.toPrecision(6)));
  const edges = [...new Set(rounded)].filter((edge) => edge < largest);
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  for (const value of sorted) counts[binOf(edges, value)]!++;
  return { edges, counts };
}

export function binOf(edges: readonly number[], value: number): number {
  let bin = 0;
  while (bin < edges.length && value > edges[bin]!) bin++;
  return bin;
}

/**
 * Population stability index of two histograms over the same bins, Σ (p - q) · ln(p / q), minus its expectation for samples of the same distribution,
 * (bins - 1) · (1/n + 1/m); at least 0. Half a sample is added to each bin, so that empty bins are finite. Below 0.1 the distributions agree, above
 * 0.25 they differ strongly (Siddiqi 2006, "Credit Risk Scorecards").
 */
export function stabilityIndex(counts: readonly number[], reference: readonly number[]): number {
  const [n, m, bins] = [sum(counts), sum(reference), counts.length];
  const index = counts.reduce((all, count, i) => {
    const p = (count + 0.5) / (n + 0.5 * bins);
    const q = (reference[i]! + 0.5) / (m + 0.5 * bins);
    return all + (p - q) * Math.log(p / q);
  }, 0);
  return Math.max(0, index - (bins - 1) * (1 / n + 1 / m));
}

/** Kolmogorov-Smirnov statistic: the largest difference of the two cumulative shares. */
export function largestGap(counts: readonly number[], reference: readonly number[]): number {
  const [n, m] = [sum(counts), sum(reference)];
  let [own, other, gap] = [0, 0, 0];
  counts.forEach((count, i) => {
    own += count / n;
    other += reference[i]! / m;
    gap = Math.max(gap, Math.abs(own - other));
  });
  return gap;
}
