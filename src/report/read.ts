import { UserError } from '../base/errors.ts';
import { fromEarlier } from './earlier.ts';
import { reportSchema, VERSION } from './schema.ts';
import type { Report } from './types.ts';

/** Read a report back, checked; one of an earlier version too. `UserError` for one of a later version, with `file` in it. */
export function parseReport(text: string, file = 'report.json'): Report {
  const json = JSON.parse(text) as { readonly version?: unknown } | null;
  const version = json?.version;
  if (typeof version === 'number' && version > VERSION) {
    throw new UserError(
      `${file}: it is a report of version ${version}, and this Limbeck reads versions 1 to ${VERSION}`,
      'Read it with the Limbeck that wrote it, or a later one.',
    );
  }
  return reportSchema.parse(fromEarlier(json));
}
