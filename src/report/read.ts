import { UserError } from '../base/errors.ts';
import { fromEarlier } from './earlier.ts';
import { reportSchema, REPORT_VERSION } from './schema.ts';
import type { Report } from './types.ts';

/** Models of a report: charts take a time that grows with the square of their number. */
const MOST_MODELS = 2000;

/** Read a report back, checked; one of an earlier version too. `UserError` for one of a later version, with `file` in it. */
export function parseReport(text: string, file = 'report.json'): Report {
  const json = JSON.parse(text) as { readonly version?: unknown } | null;
  const version = json?.version;
  if (typeof version === 'number' && version > REPORT_VERSION) {
    throw new UserError(
      `${file}: it is a report of version ${version}, and this Limbeck reads versions 1 to ${REPORT_VERSION}`,
      'Read it with the Limbeck that wrote it, or a later one.',
    );
  }
  const report = reportSchema.parse(fromEarlier(json));
  const { length } = report.models;
  if (length > MOST_MODELS)
    throw new UserError(
      `${file}: received ${length} models, expected at most ${MOST_MODELS}`,
      'Leave this run alone if you do not know who made it; `limbeck compare` shows several runs side by side.',
    );
  return report;
}
