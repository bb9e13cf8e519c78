import type { DeviceRow, DeviceFigures } from './device-rows.ts';
import { reasonOf } from '../reason.ts';
import type { Skipped } from '../../base/skipped.ts';
import type { PlanOptions } from './page-plan.ts';
import type { TimedFile } from '../latency/variants.ts';
import { versionOf } from '../../base/process/packages.ts';

/** Places to time a model: this process, a headless Chromium on this machine, phones that adb reaches. */
export type TimingPlace = 'node' | 'chromium' | 'adb';

/** Times files in places other than this process; a place that cannot measure is reported, without failing. */
export async function measureElsewhere(
  places: readonly TimingPlace[],
  files: readonly TimedFile[],
  options: PlanOptions & { readonly signal?: AbortSignal | undefined },
): Promise<DeviceFigures> {
  const rows: DeviceRow[] = [];
  const skipped: Skipped[] = [];
  const add = async (what: string, measure: () => Promise<DeviceFigures>): Promise<void> => {
    try {
      const measured = await measure();
      rows.push(...measured.rows);
      skipped.push(...measured.skipped);
    } catch (error) {
      skipped.push({ what, why: reasonOf(error, what) });
    }
  };
  if (places.includes('chromium')) {
    const [{ pagePlanOf }, { measureInChromium }] = [await import('./page-plan.ts'), await import('./chromium.ts')];
    const { plan, skipped: left } = pagePlanOf(files, options);
    skipped.push(...left);
    if (plan.models.length > 0) await add('browsers', () => measureInChromium(plan, files, { signal: options.signal }));
  }
  if (places.includes('adb'))
    await add('phones', async () => (await import('./adb.ts')).measureWithAdb(files, options));
  return { rows, skipped };
}

/** Versions of the libraries that models are timed in. */
export function libraryVersions(): Record<string, string> {
  const libraries = ['onnxruntime-node', 'onnxruntime-web', '@litertjs/core', 'tfjs-tflite-node'];
  return Object.fromEntries(libraries.map((name) => [name, versionOf(name)]));
}

/** The part of a row that a report keeps under its model. */
export function latencyRow({ runtime, device, batchSize, threads, p50Ms, p95Ms, ...rest }: Omit<DeviceRow, 'model'>) {
  const { p99Ms, throughputPerSecond, intervalMs, runs, sessions, memoryBytes } = rest;
  return {
    runtime,
    device,
    batchSize,
    threads,
    p50Ms,
    p95Ms,
    ...(p99Ms !== undefined && { p99Ms }),
    throughputPerSecond,
    intervalMs,
    runs,
    sessions,
    ...(memoryBytes !== undefined && { memoryBytes }),
  };
}
