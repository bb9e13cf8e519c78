import path from 'node:path';
import { timestamp } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import type { DeviceRow } from '../measure/devices/device-rows.ts';
import type { Skipped } from '../base/skipped.ts';
import { pagePlanOf } from '../measure/devices/page-plan.ts';
import type { PlanOptions } from '../measure/devices/page-plan.ts';
import { servePage } from '../measure/devices/page-server.ts';
import type { TimedFile } from '../measure/latency/variants.ts';
import type { Report } from '../report/types.ts';
import { keepLatency } from '../folder/report/device-latency.ts';
import type { Remeasured } from '../folder/report/device-latency.ts';
import { libraryVersions } from '../measure/devices/timing-place.ts';
import { rebuildReport, reportOf } from '../folder/report/report-files.ts';
import { modelFileOf } from '../folder/run-models.ts';

export interface ServeBenchOptions extends Omit<PlanOptions, 'title'> {
  readonly host: string;
  readonly port: number;
  readonly onReady: (url: string, skipped: readonly Skipped[]) => void;
  readonly onDevice: (device: string, rows: readonly DeviceRow[], skipped: readonly Skipped[]) => Promise<void>;
  /** Ends the server. */
  readonly signal: AbortSignal;
}

/** The exported models of a finished run, named by their ids, and its teacher if its file exists. */
export async function modelsOfRun(
  folder: string,
): Promise<{ report: Report; files: TimedFile[]; teacher: TimedFile | undefined }> {
  const report = await reportOf(folder);
  const files: TimedFile[] = [];
  let teacher: TimedFile | undefined;
  for (const row of report.models) {
    const file = await modelFileOf(folder, row);
    if (row.model.role === 'teacher') teacher = file;
    else if (file !== undefined) files.push(file);
    else if (row.file !== null) {
      throw new UserError(
        `${folder}: ${row.file} is gone, which the report has as ${row.id}`,
        `Make it again with \`limbeck resume ${path.basename(folder)}\`.`,
      );
    }
  }
  return { report, files, teacher };
}

/** Adds measurements to the report of a run. */
export async function joinReport(folder: string, measured: Remeasured): Promise<void> {
  await keepLatency(folder, await reportOf(folder), measured);
  await rebuildReport(folder);
}

/** Serves the page that measures on other devices until `signal` aborts; with the folder of a run, its report is updated. */
export async function serveBench(
  { files, title, folder }: { files: readonly TimedFile[]; title: string; folder?: string | undefined },
  options: ServeBenchOptions,
): Promise<void> {
  const { plan, skipped } = pagePlanOf(files, { ...options, title });
  if (plan.models.length === 0) {
    const reasons = skipped.map(({ what, why }) => `${what}: ${why}`).join('; ');
    throw new UserError(`there is nothing to measure: ${reasons || 'no file'}`, 'Name a model file that can be read.');
  }
  // Two devices may finish at once: updates of the report are queued.
  let last = Promise.resolve();
  const server = await servePage({
    plan,
    files,
    host: options.host,
    port: options.port,
    onRows: async (rows, left) => {
      const device = rows[0]?.device ?? 'browser';
      if (folder !== undefined) {
        const measurement = { measuredAt: timestamp(), versions: libraryVersions(), loadAverage: null, skipped: left };
        const joined = last.then(() => joinReport(folder, { rows, devices: [device], measurement }));
        last = joined.catch(() => undefined);
        await joined;
      }
      await options.onDevice(device, rows, left);
      return folder === undefined ? 'Done.' : `Done: the report of ${title} has these figures as ${device}.`;
    },
  });
  try {
    options.onReady(server.url, skipped);
    const { signal } = options;
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  } finally {
    await server.close();
  }
}
