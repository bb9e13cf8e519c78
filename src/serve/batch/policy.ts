import type { Cost } from './cost.ts';

/** The options of Triton's dynamic batcher, per model. */
export interface BatchOptions {
  /** Most samples in a call. */
  readonly maxBatch: number;
  /** Milliseconds that a request may wait for others while a worker is idle; absent: found out. */
  readonly maxDelayMs?: number | undefined;
  /** Sizes of a call to be formed if there are enough samples, without waiting for more. */
  readonly preferred: readonly number[];
  /** Requests that may wait; further ones are refused. */
  readonly maxQueue: number;
  /** Milliseconds from arrival within which a request is answered or refused; a request may ask for its own. */
  readonly maxLatencyMs?: number | undefined;
  /** What becomes of a request that cannot be answered in time: refused, or answered when nothing else waits. */
  readonly onTimeout: 'reject' | 'delay';
  /** 1 is served first. */
  readonly priorityLevels: number;
  /** Run requests of a model one by one whose answers in a batch have other last bits than alone. */
  readonly exact: boolean;
}

export interface Situation {
  /** Samples and requests that could be run together now. */
  readonly samples: number;
  readonly requests: number;
  readonly oldestWaitMs: number;
  /** Milliseconds until the first of them is too late to begin; Infinity without a deadline. */
  readonly slackMs: number;
  /** Mean milliseconds between requests. */
  readonly gapMs: number;
  readonly cost: Cost;
}

export type Decision = { readonly run: number } | { readonly waitMs: number };

/**
 * How many samples to run now that a worker is idle, or how long to wait for more. Without `maxDelayMs` it waits while that
 * shortens the sum of all waiting: if the next request is expected in `gap`, waiting for it costs each of the n requests here
 * that long, and saves it the rest of a call that would have begun without it, fixed + perSample·n - gap, while all n + 1 then
 * take perSample longer. So one more is worth waiting for while (n + 1)·gap < fixed; never in a quiet hour, and never longer
 * than a call's fixed cost.
 */
export function decide(now: Situation, options: BatchOptions): Decision {
  const { samples, requests, oldestWaitMs, slackMs, gapMs, cost } = now;
  if (samples >= options.maxBatch || slackMs <= 0) return { run: options.maxBatch };
  const best = Math.max(0, ...options.preferred.filter((size) => size <= samples));
  if (best > 0) return { run: best };
  if (options.maxDelayMs !== undefined) {
    const waitMs = Math.min(options.maxDelayMs - oldestWaitMs, slackMs);
    return waitMs > 0 ? { waitMs } : { run: options.maxBatch };
  }
  if ((requests + 1) * gapMs >= cost.fixed) return { run: options.maxBatch };
  const waitMs = Math.min(cost.fixed - oldestWaitMs, slackMs, cost.fixed / (requests + 1));
  return waitMs > 0 ? { waitMs } : { run: options.maxBatch };
}

/** Most samples that a call may have which has to end within `leftMs`; at least one. */
export function mostWithin(leftMs: number, { perSample, fixed }: Cost): number {
  if (leftMs === Infinity || perSample === 0) return Infinity;
  return Math.max(1, Math.floor((leftMs - fixed) / perSample));
}
