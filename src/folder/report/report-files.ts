import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { reportFiles } from '../../report/files.ts';
import type { Report } from '../../report/types.ts';
import { withKeptLatency } from './device-latency.ts';
import { writtenReport } from './finished.ts';
import { writeReport } from './written.ts';
import { reportSoFar } from './report-so-far.ts';

/** The report of a run, of one that was killed as far as it came; or a `UserError` that says how to get one. */
export async function reportOf(folder: string): Promise<Report> {
  const report = (await writtenReport(folder)) ?? (await reportSoFar(folder));
  if (report !== undefined) return report;
  throw new UserError(
    `${folder}: this run has no report that can be read`,
    `Finish it with \`limbeck resume ${path.basename(folder)}\`.`,
  );
}

/**
 * Make the files of a report again: from its report.json and what devices have measured since, or from the ledger of a run
 * that could not write one.
 */
export async function rebuildReport(folder: string): Promise<{ report: Report; files: string[] }> {
  const written = await reportOf(folder);
  const report = await withKeptLatency(folder, written);
  await writeReport(folder, report);
  return { report, files: reportFiles(report).map(([name]) => path.join(folder, name)) };
}
