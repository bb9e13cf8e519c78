import { percent } from '../../base/numbers.ts';
import type { EntityReport } from '../../tasks/described.ts';
import { number } from '../format.ts';

export const ENTITY_HEAD = ['entities', 'true', 'given', 'right', 'precision', 'recall', 'F1'];

/** Cells of a table of entities, one row for each type. */
export function entityRows({ rows }: EntityReport): string[][] {
  return rows.map(({ name, there, given, right, precision, recall, f1 }) => [
    name,
    ...[there, given, right].map(number),
    ...[precision, recall, f1].map(shareText),
  ]);
}

/** A share, or nothing where there is none. */
export function shareText(value: number | null): string {
  return value === null ? '–' : percent(value);
}
