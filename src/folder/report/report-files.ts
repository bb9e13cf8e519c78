import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { reportFiles } from '../../report/render/files.ts';
import type { Report } from '../../report/types.ts';
import { withKeptLatency } from './device-latency.ts';
import { writtenReport } from './finished.ts';
import { writeReport } from './written.ts';
import { reportSoFar } from './report-so-far.ts';

/** The report of a run, up to the point that a killed run had reached; `UserError` if there is none yet. */
export async function reportOf(folder: string): Promise<Report> {
  const report = (await writtenReport(folder)) ?? (await reportSoFar(folder));
  if (report !== undefined) return report;
  throw new UserError(
    `${folder}: this run has no report that can be read`,
    `Finish it with \`limbeck resume ${path.basename(folder)}\`.`,
  );
}

/** Writes the files of a report again: from its report.json and latencies measured since, or from the ledger of a run that could not write it. */
export async function rebuildReport(folder: string): Promise<{ report: Report; files: string[] }> {
  const written = await reportOf(folder);
  const report = await withKeptLatency(folder, written);
  await writeReport(folder, report);
  return { report, files: reportFiles(report).map(([name]) => path.join(folder, name)) };
}
