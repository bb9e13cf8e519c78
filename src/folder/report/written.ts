import { rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../base/files.ts';
import { loadSections } from '../../report/html/sections/rare.ts';
import { reportFiles } from '../../report/render/files.ts';
import type { Report } from '../../report/types.ts';
import { finishedReport } from './finished.ts';

export async function writeReport(folder: string, report: Report): Promise<void> {
  await loadSections(report);
  for (const [name, content] of reportFiles(report)) await writeFileAtomic(path.join(folder, name), content);
}

/** Removes the report of an earlier stop: the ledger knows more from here on, and remains right if the run is killed. */
export async function removeOutdated(folder: string): Promise<void> {
  if ((await finishedReport(folder)) !== undefined) return;
  for (const ending of ['html', 'md', 'csv', 'json']) await rm(path.join(folder, `report.${ending}`), { force: true });
}

export function unwritten(error: unknown): string {
  return `the report of where the run stopped cannot be written: ${error instanceof Error ? error.message : String(error)}`;
}
