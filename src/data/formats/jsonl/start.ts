import { parsedJson } from '../../../base/json.ts';
import type { SampleStart, TableRows } from '../../readers/guess.ts';
import { firstLines } from '../../readers/source.ts';

function jsonRows(lines: readonly string[]): TableRows {
  const rows: unknown[] = lines.flatMap((line) => {
    try {
      return [parsedJson(line)];
    } catch {
      return [];
    }
  });
  return rows.filter((row) => typeof row === 'object' && row !== null && !Array.isArray(row)) as TableRows;
}

export const start: SampleStart = async (place, { rows }) => ({
  rows: jsonRows((await firstLines(place, rows)).slice(0, rows)),
});
