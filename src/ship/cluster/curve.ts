import type { LatencyRow } from '../../report/types.ts';

/** The time of a call as a line over its number of samples, fixedMs + perSampleMs · n, and where it was measured. */
export interface Curve {
  readonly fixedMs: number;
  readonly perSampleMs: number;
  /** Sizes of batch that were measured, ascending: the line is known between the first and the last. */
  readonly sizes: readonly number[];
  readonly threads: number;
  readonly device: string;
  /** Most memory that loading and running the model adds to a process, in bytes; undefined where not measured. */
  readonly memoryBytes: number | undefined;
}

/**
 * The line through what a report measured of an ONNX file, on one of `devices`. Rows of one measurement and number of threads
 * belong together; of several such groups the one with the most sizes is taken, then the one with the fewest threads, then the
 * latest. undefined where fewer than two sizes were measured: one point says nothing of the slope.
 */
export function curveOf(rows: readonly LatencyRow[], devices: readonly string[]): Curve | undefined {
  const groups = new Map<string, LatencyRow[]>();
  for (const row of rows) {
    if (row.runtime !== 'onnxruntime' || !devices.includes(row.device)) continue;
    const key = JSON.stringify([row.device, row.threads, row.measuredAt ?? '']);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const ranked = [...groups.values()].sort(
    (a, b) =>
      sizesOf(b).length - sizesOf(a).length ||
      a[0]!.threads - b[0]!.threads ||
      ((a[0]!.measuredAt ?? '') < (b[0]!.measuredAt ?? '') ? 1 : -1),
  );
  const [best] = ranked;
  if (best === undefined || sizesOf(best).length < 2) return undefined;
  const memory = best.map(({ memoryBytes }) => memoryBytes ?? 0);
  const [{ threads, device }] = best as [LatencyRow];
  const most = Math.max(...memory);
  return {
    ...fitted(best.map(({ batchSize, p50Ms }) => [batchSize, p50Ms])),
    sizes: sizesOf(best),
    threads,
    device,
    memoryBytes: most > 0 ? most : undefined,
  };
}

function sizesOf(rows: readonly LatencyRow[]): number[] {
  return [...new Set(rows.map(({ batchSize }) => batchSize))].sort((a, b) => a - b);
}

/**
 * Least squares of the relative error: the fixed part is read off the small batches, whose errors in milliseconds would not
 * count beside those of the large ones. Neither part is negative.
 */
export function fitted(points: readonly (readonly [samples: number, ms: number])[]): {
  fixedMs: number;
  perSampleMs: number;
} {
  let [s, sn, snn, sm, snm] = [0, 0, 0, 0, 0];
  for (const [n, ms] of points) {
    const weight = 1 / (ms * ms);
    s += weight;
    sn += weight * n;
    snn += weight * n * n;
    sm += weight * ms;
    snm += weight * n * ms;
  }
  const perSampleMs = (s * snm - sn * sm) / (s * snn - sn * sn);
  const fixedMs = (sm - perSampleMs * sn) / s;
  if (perSampleMs < 0) return { fixedMs: sm / s, perSampleMs: 0 };
  if (fixedMs < 0) return { fixedMs: 0, perSampleMs: snm / snn };
  return { fixedMs, perSampleMs };
}
