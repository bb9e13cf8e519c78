import type { ModelCounts, Snapshot } from './snapshot.ts';

/** Figures of a model between two moments; null where nothing happened that they could be of. Times are milliseconds. */
export interface Figures {
  readonly requestsPerSecond: number | null;
  readonly samplesPerSecond: number | null;
  readonly batch: number | null;
  readonly failuresPerSecond: number | null;
  readonly waiting: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

const NONE: ModelCounts = { requests: 0, samples: 0, calls: 0, failures: 0, waiting: 0, buckets: new Map() };

export function figuresOf(model: string, before: Snapshot, now: Snapshot): Figures {
  const [a, b] = [before.models.get(model) ?? NONE, now.models.get(model) ?? NONE];
  const seconds = now.at - before.at;
  const calls = b.calls - a.calls;
  const rate = (count: number): number | null => (seconds > 0 && count >= 0 ? count / seconds : null);
  const buckets = [...b.buckets].map(([most, count]) => [most, count - (a.buckets.get(most) ?? 0)] as const);
  const time = (share: number): number | null => {
    const value = quantile(share, buckets);
    return value === null ? null : 1000 * value;
  };
  return {
    requestsPerSecond: rate(b.requests - a.requests),
    samplesPerSecond: rate(b.samples - a.samples),
    batch: calls > 0 ? (b.samples - a.samples) / calls : null,
    failuresPerSecond: rate(b.failures - a.failures),
    waiting: b.waiting,
    p50: time(0.5),
    p95: time(0.95),
    p99: time(0.99),
  };
}

/**
 * Quantile of a histogram, by a line within the bucket that it lies in, as Prometheus' histogram_quantile does. `buckets`: the
 * upper bound of each and the count of all up to there. Null for an empty one.
 */
export function quantile(share: number, buckets: readonly (readonly [most: number, count: number])[]): number | null {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const all = sorted.at(-1)?.[1] ?? 0;
  if (!(all > 0)) return null;
  const rank = share * all;
  const place = sorted.findIndex(([, count]) => count >= rank);
  const [most, count] = sorted[place]!;
  const [least, below] = sorted[place - 1] ?? [0, 0];
  if (most === Infinity) return least;
  return least + ((most - least) * (rank - below)) / (count - below);
}
