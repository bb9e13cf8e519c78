import type { Latency } from './findings.ts';
import { ascending, medianInterval, quantile } from '../../base/math/statistics.ts';

export interface LatencyComparison {
  /** Latency of `a` divided by that of `b`: median over sessions. */
  readonly ratio: number;
  /** 99 % confidence interval; null with too few sessions. */
  readonly interval: readonly [number, number] | null;
  /** A difference if the whole interval lies beyond the margin, none if it lies within; unknown if it crosses the margin or is missing. */
  readonly result: 'faster' | 'slower' | 'no difference' | 'unknown';
}

/**
 * Margin of equivalence: smaller differences are irrelevant for choosing a model, and medians of the same file were seen to differ by as much between
 * runs.
 */
const MARGIN = 0.05;

/**
 * Compares the latencies of `a` and `b` in pairs, session by session: temporary slowdowns of the machine cancel out, and the effect of the files'
 * position in memory is part of the spread.
 */
export function compareLatency(a: Pick<Latency, 'sessionMs'>, b: Pick<Latency, 'sessionMs'>): LatencyComparison {
  const sessions = Math.min(a.sessionMs.length, b.sessionMs.length);
  const ratios = ascending(Array.from({ length: sessions }, (_, i) => a.sessionMs[i]! / b.sessionMs[i]!));
  const interval = medianInterval(ratios, 0.99) ?? null;
  const ratio = ratios.length === 0 ? NaN : quantile(ratios, 0.5);
  return { ratio, interval, result: interval === null ? 'unknown' : resultOf(interval) };
}

function resultOf([low, high]: readonly [number, number]): LatencyComparison['result'] {
  if (high < 1 - MARGIN) return 'faster';
  if (low > 1 + MARGIN) return 'slower';
  return low >= 1 - MARGIN && high <= 1 + MARGIN ? 'no difference' : 'unknown';
}
