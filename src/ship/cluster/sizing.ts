import type { Curve } from './curve.ts';

/** Settings of a machine with one instance of a model, and the load that it is expected to carry. */
export interface Sizing {
  /** Samples of a call beyond which larger batches bring little. */
  readonly batch: number;
  /** Samples per second in calls of `batch`. */
  readonly perSecond: number;
  /** Milliseconds within which a request is answered at that load: it waits for one call to end, then for its own. */
  readonly latencyMs: number;
}

/** Share of the samples per second of endless batches that is enough. */
const ENOUGH = 0.9;

/**
 * A batch of n has n / (fixed + perSample · n) samples per second, at most 1 / perSample; it reaches nine tenths of that at
 * n = 9 · fixed / perSample. Batches are not made larger than what was measured.
 */
export function sizingOf({ fixedMs, perSampleMs, sizes }: Curve): Sizing {
  const largest = sizes.at(-1)!;
  const enough = perSampleMs === 0 ? Infinity : ((ENOUGH / (1 - ENOUGH)) * fixedMs) / perSampleMs;
  // Rounded first: 9.000000000000002 is nine.
  const batch = Math.min(largest, Math.max(1, Math.ceil(Number(enough.toPrecision(9)))));
  const callMs = fixedMs + perSampleMs * batch;
  return { batch, perSecond: (1000 * batch) / callMs, latencyMs: 2 * callMs };
}
