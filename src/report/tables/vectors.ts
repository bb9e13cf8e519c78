import { percent } from '../../base/numbers.ts';
import type { VectorReport } from '../../tasks/described.ts';
import { size } from '../format.ts';

/** Head of the table of vectors by their size and number format. */
export const VECTOR_HEAD = ['numbers', 'format', 'recall@1', 'recall@5', 'recall@10', 'mAP@R', 'a million'] as const;

const MILLION = 1e6;

/** A row for each size and number format; last the size of an index of a million vectors. */
export function vectorRows({ rows }: VectorReport): string[][] {
  return rows.map(({ size: numbers, precision, bytes, recall1, recall5, recall10, map }) => [
    ...[String(numbers), precision],
    ...[recall1, recall5, recall10, map].map((value) => percent(value, 1)),
    size(bytes * MILLION),
  ]);
}
