import { decimals } from '../../base/numbers.ts';
import { rowScore, commonLatency, scoreSentence, teacherModel } from '../../report/summary.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import type { Budget } from './budget.ts';

/** A file beside the original. */
export interface Beside {
  readonly id: string;
  readonly file: string;
  /** Factors: how much smaller, and faster where both were timed in one setting. */
  readonly size: number;
  readonly latency: number | null;
  /** Points of the score lost. */
  readonly drop: number;
  readonly isWithin: boolean;
}

/** Every file that the run wrote beside the original, the smallest first. */
export function besideOriginal(report: Report, budget: Budget): Beside[] {
  const original = teacherModel(report);
  if (original === undefined) return [];
  const rows = report.models.filter(({ model, file }) => model.role !== 'teacher' && file !== null);
  // Of the same format: what was taken as it is, before anything of it was cut.
  const taken = (format: string): ModelRow | undefined =>
    rows.find((row) => row.model.role === 'distilled' && row.format === format && row.precision === 'fp32');
  return rows.map((row) => beside(row, original, taken(row.format), budget)).sort((a, b) => b.size - a.size);
}

function beside(row: ModelRow, original: ModelRow, taken: ModelRow | undefined, budget: Budget): Beside {
  const pair = commonLatency(row, original) ?? (taken && commonLatency(row, taken));
  const latency = pair === undefined ? null : pair[1].p50Ms / pair[0].p50Ms;
  const size = original.sizeBytes / row.sizeBytes;
  const drop = 100 * ((rowScore(original) ?? NaN) - (rowScore(row) ?? NaN));
  const isWithin = size >= budget.size && (latency ?? 0) >= budget.latency && drop <= budget.drop;
  return { id: row.id, file: row.file!, size, latency, drop, isWithin };
}

/** The same for people, and which file keeps within the budget. */
export function besideText(report: Report, budget: Budget, folder: string): string {
  const all = besideOriginal(report, budget);
  const lost = scoreSentence(report).length > 0 ? 'points of agreement lost' : 'points of accuracy lost';
  const lines = all.map(
    ({ id, size, latency, drop }) =>
      `${id}: ${size.toFixed(1)}× smaller, ${latency === null ? 'not timed beside it' : `${latency.toFixed(1)}× as fast`}, ${decimals(drop, 2)} ${lost}`,
  );
  const asked = `${budget.size}× smaller, ${budget.latency}× as fast, at most ${budget.drop} ${lost}`;
  const best = all.find(({ isWithin }) => isWithin);
  const end =
    best === undefined
      ? `no file keeps within the budget of ${asked}`
      : `within the budget of ${asked}: ${folder}/${best.file}`;
  return `${[`beside the original:`, ...lines.map((line) => `  ${line}`), end].join('\n')}\n`;
}
