import { percent } from '../../base/numbers.ts';
import type { BoxReport } from '../../tasks/described.ts';
import { number } from '../format.ts';

const share = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : percent(value, 1);

/** Head of the table of classes of boxes. */
export const BOX_HEAD = ['class', 'boxes', 'AP', 'AP50', 'recall'] as const;

/** A row for each class. */
export function boxRows({ rows }: BoxReport): string[][] {
  return rows.map(({ name, there, ap, ap50, recall }) => [name, number(there), share(ap), share(ap50), share(recall)]);
}

/** Head of the table of all boxes. */
export const ALL_BOXES_HEAD = [
  'AP50',
  'AP75',
  'recall',
  'small',
  'medium',
  'large',
  'threshold',
  'F1 with it',
] as const;

/** Figures over all classes. */
export function allBoxesRow({ ap50, ap75, recall, small, medium, large, atThreshold }: BoxReport): string[] {
  const shares = [ap50, ap75, recall, small, medium, large].map(share);
  return [...shares, atThreshold?.threshold.toFixed(2) ?? '–', share(atThreshold?.f1)];
}
