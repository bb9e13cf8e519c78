import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { reportFiles } from '../report/files.ts';
import type { Report } from '../report/types.ts';
import { withKeptLatency } from './device-latency.ts';
import { writtenReport } from './finished.ts';

/** The report of a run, or a `UserError` that says how to get one. */
export async function reportOf(folder: string): Promise<Report> {
  const report = await writtenReport(folder);
  if (report !== undefined) return report;
  throw new UserError(
    `${folder}: this run has no report that can be read`,
    `Finish it with \`limbeck resume ${path.basename(folder)}\`.`,
  );
}

/** Make the files of a report again from its report.json, and from what devices have measured since. */
export async function rebuildReport(folder: string): Promise<{ report: Report; files: string[] }> {
  const written = await reportOf(folder);
  const report = await withKeptLatency(folder, written);
  const made = reportFiles(report).filter(([name]) => name !== 'report.json' || report !== written);
  for (const [name, content] of made) await writeFileAtomic(path.join(folder, name), content);
  return { report, files: made.map(([name]) => path.join(folder, name)) };
}
