import { percent } from '../../base/numbers.ts';
import type { MaskReport } from '../../tasks/described.ts';
import { number } from '../format.ts';

/** Head of the table of classes of pixels. */
export const MASK_HEAD = ['class', 'pixels', 'IoU', 'Dice'] as const;

/** A row for each class. */
export function maskRows({ rows }: MaskReport): string[][] {
  const share = (value: number | null): string => (value === null ? '–' : percent(value, 1));
  return rows.map(({ name, there, iou, dice }) => [name, number(there), share(iou), share(dice)]);
}
