import { reportSchema } from '../schema.ts';
import type { Report } from '../types.ts';

/** Checked against the published schema, keys in its order. */
export function reportJson(report: Report): string {
  return `${JSON.stringify(reportSchema.parse(report), null, 2)}\n`;
}
