import type { Latency } from './findings.ts';
import { ascending, medianInterval, quantile } from '../../base/statistics.ts';

export interface LatencyComparison {
  /** Time of `a` as a multiple of that of `b`: the median over sessions. */
  readonly ratio: number;
  /** 99 % confidence interval; null after too few sessions. */
  readonly interval: readonly [number, number] | null;
  /**
   * A difference where the whole interval lies beyond the margin, none where it lies within; unknown where it lies across,
   * or where there is none.
   */
  readonly result: 'faster' | 'slower' | 'no difference' | 'unknown';
}

/**
 * Margin of equivalence: less is nothing to choose a model by, and the medians of one file were seen to differ by as much
 * between runs.
 */
const MARGIN = 0.05;

/**
 * Comparison of the latency of `a` and `b`, in pairs, session by session: what slowed the machine down for a while drops out, and how the
 * files happened to lie in memory is part of the spread.
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
