import type { SeenForm } from '../../recipe/init.ts';
import { isMissing } from '../../data/readers/table.ts';
import type { TableRows } from '../../data/readers/guess.ts';

/** Names of columns that hold the time of a row, and of columns that say to whom or what it belongs. */
const TIME = /^(time|timestamp|date|datetime|t|ts|seconds?|sec|millis|milliseconds?|ms)([ _(].*)?$/i;
const GROUP =
  /^(subject|person|user|participant|patient|volunteer|animal|session|recording|record|trial|device|group)([ _]?(id|no|number|name))?$/i;
/** Rows of a proposed window, and the least average number of rows between two changes of the label or the group. */
const [STEPS, RUN] = [64, 5];

/**
 * Proposes windows for rows in time: a column whose name says time, or whom a row belongs to, and labels that stay the same for many rows. Undefined
 * for other tables. `others`: columns of words, which are no channels.
 */
export function windowsForm(
  rows: TableRows,
  label: string | undefined,
  others: readonly string[],
): Pick<SeenForm, 'window' | 'ignore' | 'leftOut'> | undefined {
  const names = Object.keys(rows[0] ?? {}).filter((name) => name !== label);
  const time = names.filter((name) => TIME.test(name) && isRising(rows, name));
  const group = names.find((name) => GROUP.test(name) && longestRun(rows, name) >= RUN);
  const isInTime = time.length > 0 || group !== undefined;
  if (label === undefined || !isInTime || rows.length / runs(rows, label) < RUN) return undefined;
  const ignore = [...time, ...others.filter((name) => name !== group && !time.includes(name))];
  if (names.every((name) => name === group || ignore.includes(name))) return undefined;
  const steps = Math.max(2, Math.min(STEPS, longestRun(rows, group ?? label)));
  const why =
    time.length > 0 ? `${time[0]!} rises from row to row` : `${group!} and ${label} stay the same for many rows`;
  return {
    window: { steps, stride: Math.ceil(steps / 2), why, ...(group !== undefined && { group }) },
    ...(ignore.length > 0 && {
      ignore,
      leftOut: ignore.map((name) => (time.includes(name) ? `${name} is the time of a row` : `${name} holds words`)),
    }),
  };
}

function longestRun(rows: TableRows, name: string): number {
  let [longest, run] = [0, 0];
  rows.forEach((row, i) => {
    run = i > 0 && row[name] === rows[i - 1]![name] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}

/** Number of stretches of rows with the same value. */
function runs(rows: TableRows, name: string): number {
  return rows.filter((row, i) => i === 0 || row[name] !== rows[i - 1]![name]).length;
}

/** True if nine of ten rows are later than the row before: where another recording begins, time starts again. */
function isRising(rows: TableRows, name: string): boolean {
  const times = rows.map((row) => timeOf(String(row[name])));
  const later = times.filter((time, i) => i > 0 && time > times[i - 1]!).length;
  return rows.length > 1 && later >= 0.9 * (rows.length - 1);
}

function timeOf(text: string): number {
  return isMissing(text) || Number.isFinite(Number(text)) ? Number(text) : Date.parse(text);
}
