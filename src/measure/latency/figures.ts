import { ascending, median, medianInterval, quantile } from '../../base/statistics.ts';

/** Times of one setting. */
export interface TimeFigures {
  /** Median of the medians of the sessions. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Samples, not batches, at the median. */
  readonly throughputPerSecond: number;
  /** 95 % confidence interval of the median, from the spread between sessions; null for fewer than six of them. */
  readonly intervalMs: readonly [number, number] | null;
  readonly runs: number;
  readonly sessions: number;
}

/**
 * Figures of the times of several sessions, in milliseconds; none of them empty. Runs within a session are too much alike
 * to say how sure a median is: each session counts once.
 */
export function summarize(sessions: readonly (readonly number[])[], batchSize: number): TimeFigures {
  const medians = ascending(sessions.map(median));
  const all = ascending(sessions.flat());
  const p50Ms = quantile(medians, 0.5);
  return {
    p50Ms,
    // Sessions of unequal lengths could turn the order around.
    p95Ms: Math.max(p50Ms, quantile(all, 0.95)),
    p99Ms: Math.max(p50Ms, quantile(all, 0.99)),
    throughputPerSecond: (1000 * batchSize) / p50Ms,
    intervalMs: medianInterval(medians) ?? null,
    runs: all.length,
    sessions: sessions.length,
  };
}
