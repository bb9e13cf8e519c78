import { percent } from '../../base/numbers.ts';
import type { VectorReport } from '../../tasks/described.ts';
import { size } from '../format.ts';

/** Figures of vectors by their size and number format, of which a task has some. */
const FIGURES = {
  recall1: 'recall@1',
  recall5: 'recall@5',
  recall10: 'recall@10',
  map: 'mAP@R',
  spearman: 'Spearman',
} as const;

const figuresIn = ({ rows }: VectorReport) =>
  (Object.keys(FIGURES) as (keyof typeof FIGURES)[]).filter((key) => rows[0]?.[key] !== undefined);

/** Head of the table of vectors by their size and number format. */
export function vectorHead(of: VectorReport): string[] {
  return ['numbers', 'format', ...figuresIn(of).map((key) => FIGURES[key]), 'a million'];
}

const MILLION = 1e6;

/** A row for each size and number format; last the size of an index of a million vectors. */
export function vectorRows(of: VectorReport): string[][] {
  const figures = figuresIn(of);
  return of.rows.map((row) => [
    ...[String(row.size), row.precision],
    ...figures.map((key) => percent(row[key]!, 1)),
    size(row.bytes * MILLION),
  ]);
}
