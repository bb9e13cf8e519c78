/** Times of one setting. */
export interface Figures {
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
export function summarize(sessions: readonly (readonly number[])[], batchSize: number): Figures {
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

/** The `q` quantile of ascending values, linear between its neighbours. */
export function quantile(sorted: readonly number[], q: number): number {
  const place = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(ascending(values), 0.5);
}

export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/**
 * Confidence interval of the median between two order statistics: the number of values below the true median is
 * binomial (n, 1/2), whatever the distribution. Undefined where there are too few values for the level (6 for 95 %).
 */
export function medianInterval(
  sorted: readonly number[],
  level: 0.95 | 0.99 = 0.95,
): readonly [number, number] | undefined {
  const below = lowerRank(sorted.length, level);
  if (below < 1) return undefined;
  return [sorted[below - 1]!, sorted[sorted.length - below]!];
}

/** Above this many values the normal approximation is off by one rank at most, and 2^-n is still far from underflow. */
const EXACT = 200;

/** The largest rank r with P(X < r) at most half of what the level leaves out; X is binomial (n, 1/2). */
function lowerRank(n: number, level: 0.95 | 0.99): number {
  if (n > EXACT) return Math.floor((n - (level === 0.95 ? 1.96 : 2.576) * Math.sqrt(n)) / 2);
  const tail = (1 - level) / 2;
  let [probability, sum, rank] = [2 ** -n, 0, 0];
  while (sum + probability <= tail) {
    sum += probability;
    probability *= (n - rank) / (rank + 1);
    rank++;
  }
  return rank;
}
