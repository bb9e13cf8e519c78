import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { readBytes } from '../base/files.ts';
import type { DeviceRow } from '../measure/device-rows.ts';
import type { Skipped } from '../measure/skipped.ts';
import { planOf } from '../measure/plan.ts';
import type { PlanOptions } from '../measure/plan.ts';
import { servePage } from '../measure/serve.ts';
import type { ModelFile } from '../measure/variants.ts';
import type { Report } from '../report/types.ts';
import { keepLatency } from './device-latency.ts';
import { rebuildReport, reportOf } from './report-files.ts';

export interface ServeBenchOptions extends Omit<PlanOptions, 'title'> {
  readonly host: string;
  readonly port: number;
  readonly onReady: (url: string, skipped: readonly Skipped[]) => void;
  readonly onDevice: (device: string, rows: readonly DeviceRow[], skipped: readonly Skipped[]) => Promise<void>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** The models of a finished run that ship: their ids stand for them. */
export async function modelsOfRun(folder: string): Promise<{ report: Report; files: ModelFile[] }> {
  const report = await reportOf(folder);
  const files: ModelFile[] = [];
  for (const { id, file } of report.models) {
    if (file === null || id === 'teacher') continue;
    files.push({ name: id, format: path.extname(file), bytes: await readBytes(path.join(folder, file)) });
  }
  return { report, files };
}

/** Add what was measured to the report of a run. */
export async function joinReport(folder: string, rows: readonly DeviceRow[]): Promise<void> {
  await keepLatency(folder, await reportOf(folder), rows);
  await rebuildReport(folder);
}

/** Serve the page that measures on other devices until told to stop; with the folder of a run, its report is kept up. */
export async function serveBench(
  { files, title, folder }: { files: readonly ModelFile[]; title: string; folder?: string | undefined },
  options: ServeBenchOptions,
): Promise<void> {
  const { plan, skipped } = planOf(files, { ...options, title });
  if (plan.models.length === 0) {
    const reasons = skipped.map(({ what, why }) => `${what}: ${why}`).join('; ');
    throw new UserError(`there is nothing to measure: ${reasons || 'no file'}`, 'Name a model file that can be read.');
  }
  // Two devices may finish at once, but a report is written by one.
  let last = Promise.resolve();
  const server = await servePage({
    ...{ plan, files, host: options.host, port: options.port },
    onRows: async (rows, left) => {
      const device = rows[0]?.device ?? 'browser';
      if (folder !== undefined) {
        const joined = last.then(() => joinReport(folder, rows));
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
