import path from 'node:path';
import { nearest, shown, UserError } from '../../base/errors.ts';
import { exists, readText } from '../../base/files.ts';
import { nameOf } from '../../report/artifact.ts';
import { parseReport } from '../../report/read.ts';
import { betterTwin } from '../../report/twin.ts';
import { ownFile } from '../own-file.ts';
import type { ModelRow, Report } from '../../report/types.ts';

/** The report of a finished run; a damaged report is ignored and written again. */
export async function finishedReport(folder: string): Promise<Report | undefined> {
  const report = await writtenReport(folder);
  return report?.status === 'complete' ? report : undefined;
}

/**
 * The report of a run, finished or stopped; undefined if there is none or it is damaged; `UserError` for a report of a later version, or with files
 * outside of the run.
 */
export async function writtenReport(folder: string): Promise<Report | undefined> {
  const file = path.join(folder, 'report.json');
  if (!(await exists(file))) return undefined;
  const text = await readText(await ownFile(folder, 'report.json'));
  let report: Report;
  try {
    report = parseReport(text, file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return undefined;
  }
  for (const model of report.models) if (model.file !== null) await ownFile(folder, model.file, file);
  return report;
}

/** Sentence on missing files of a report, with the way to restore them; undefined if all exist. */
export async function missingFiles(folder: string, { models }: Report): Promise<string | undefined> {
  const missing: string[] = [];
  for (const { file } of models) {
    if (file !== null && !(await exists(path.join(folder, file)))) missing.push(file);
  }
  if (missing.length === 0) return undefined;
  return `${folder}: this run is finished, but some of its files are missing: ${missing.join(', ')}. ` + AGAIN;
}

const AGAIN = 'Remove its report.json and run it again: they are made again from saved states.';

/** Report of a finished run; `UserError` for a run without one. */
export async function requiredReport(folder: string): Promise<Report> {
  const report = await finishedReport(folder);
  if (report !== undefined) return report;
  throw new UserError(
    `${folder}: this run has no report yet`,
    `Finish it with: limbeck resume ${path.basename(folder)}`,
  );
}

/** File of a model in a run's report. */
export async function exportedFile(folder: string, id?: string): Promise<string> {
  return (await exportedModel(folder, id)).file;
}

/** The twin of a model in a run's report, if it is better, with a sentence on it; `id` undefined: of the distilled student. */
export async function betterThan(folder: string, id?: string): Promise<ReturnType<typeof betterTwin>> {
  const report = await requiredReport(folder);
  const row = report.models.find((one) => one.id === id);
  return id !== undefined && row === undefined ? undefined : betterTwin(report, row);
}

/** A model in a run's report by its id, with its file. Default: the distilled student. */
export async function exportedModel(
  folder: string,
  id = nameOf({ role: 'distilled', repeat: 0 }),
): Promise<{ row: ModelRow; file: string }> {
  const report = await requiredReport(folder);
  const files = report.models.filter(({ file }) => file !== null);
  const row = files.find((one) => one.id === id);
  if (typeof row?.file === 'string') {
    const file = path.join(folder, row.file);
    if (await exists(file)) return { row, file };
    throw new UserError(`${file}: this run is finished, but the file is missing`, AGAIN);
  }
  const names = files.map((one) => one.id);
  const meant = nearest(id, names);
  throw new UserError(
    `${folder}: expected one of the models ${names.join(', ')}, received ${shown(id)}`,
    meant !== undefined ? `Did you mean ${meant}?` : 'Name one of these with --model.',
  );
}
