import { ascending, median, medianInterval, quantile } from '../../base/math/statistics.ts';

/** Times of one setting. */
export interface TimeFigures {
  /** Median of the medians of the sessions. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Samples (not batches) per second at the median. */
  readonly throughputPerSecond: number;
  /** 95 % confidence interval of the median, from the spread between sessions; null with fewer than six. */
  readonly intervalMs: readonly [number, number] | null;
  readonly runs: number;
  readonly sessions: number;
}

/**
 * Figures from the times of several non-empty sessions, in milliseconds. Runs within a session are too similar to show the uncertainty of a median,
 * so each session counts once.
 */
export function summarize(sessions: readonly (readonly number[])[], batchSize: number): TimeFigures {
  const medians = ascending(sessions.map(median));
  const all = ascending(sessions.flat());
  const p50Ms = quantile(medians, 0.5);
  return {
    p50Ms,
    // With sessions of unequal lengths, quantiles over all runs could fall below the median of medians.
    p95Ms: Math.max(p50Ms, quantile(all, 0.95)),
    p99Ms: Math.max(p50Ms, quantile(all, 0.99)),
    throughputPerSecond: (1000 * batchSize) / p50Ms,
    intervalMs: medianInterval(medians) ?? null,
    runs: all.length,
    sessions: sessions.length,
  };
}
