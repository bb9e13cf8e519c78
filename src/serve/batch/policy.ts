import type { CallCost } from './cost.ts';

/** The options of Triton's dynamic batcher, per model. */
export interface BatchingOptions {
  /** Most samples in a call. */
  readonly maxBatch: number;
  /** Milliseconds that a request may wait for others while a worker is idle. */
  readonly maxDelayMs: number;
  /** Sizes of a call to be formed if there are enough samples, without waiting for more. */
  readonly preferred: readonly number[];
  /** Requests that may wait; further ones are refused. */
  readonly maxQueue: number;
  /** Milliseconds from arrival within which a request is answered or refused; a request may set its own. */
  readonly maxLatencyMs?: number | undefined;
  /** Treatment of a request that cannot be answered in time: refused, or answered when nothing else waits. */
  readonly onTimeout: 'reject' | 'delay';
  /** 1 is served first. */
  readonly priorityLevels: number;
  /** Run requests of a model one by one whose answers in a batch have other last bits than alone. */
  readonly exact: boolean;
}

export interface Situation {
  /** Samples that could be run together now. */
  readonly samples: number;
  readonly oldestWaitMs: number;
  /** Milliseconds until the first of them is too late to begin; Infinity without a deadline. */
  readonly slackMs: number;
}

export type Decision = { readonly run: number } | { readonly waitMs: number };

/**
 * Number of samples to run now that a worker is idle, or the time to wait for more. Without settings there is no wait. While a worker is
 * busy requests gather anyway, so a batch grows with the load by itself.
 *
 * A rule that waits while (requests + 1) · expected gap is less than the fixed cost of a call, which is the best one for Poisson arrivals,
 * is at most 1 % faster in simulation and never has a higher throughput (test/serve/waiting.test.ts); behind a real server, whose gaps are
 * not those of a Poisson process, it was slower. A wait helps only with clients that all ask again at once, and the server cannot know
 * their number and pace.
 */
export function decide(now: Situation, options: BatchingOptions): Decision {
  const { samples, oldestWaitMs, slackMs } = now;
  if (samples >= options.maxBatch || slackMs <= 0) return { run: options.maxBatch };
  const best = Math.max(0, ...options.preferred.filter((size) => size <= samples));
  if (best > 0) return { run: best };
  const waitMs = Math.min(options.maxDelayMs - oldestWaitMs, slackMs);
  return waitMs > 0 ? { waitMs } : { run: options.maxBatch };
}

/** Most samples that a call may have which has to end within `leftMs`; at least one. */
export function mostWithin(leftMs: number, { perSample, fixed }: CallCost): number {
  if (leftMs === Infinity || perSample === 0) return Infinity;
  return Math.max(1, Math.floor((leftMs - fixed) / perSample));
}
