import { digits, percent } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';
import { number } from '../../report/format.ts';
import { markup } from '../../report/html/markup.ts';
import type { MaskReport } from './described.ts';

/** Head of the table of classes of pixels. */
export const MASK_HEAD = ['class', 'pixels', 'IoU', 'Dice'] as const;

/** A row for each class. */
export function maskRows({ rows }: MaskReport): string[][] {
  const share = (value: number | null): string => (value === null ? '–' : percent(value, 1));
  return rows.map(({ name, there, iou, dice }) => [name, number(there), share(iou), share(dice)]);
}

/** Intersection over union, Dice and confusion of pixels, class by class. */
export const maskFigures: AnswerFigures = {
  name: 'mask',
  id: 'masks',
  heading: 'Pixels',
  text: ({
    masks,
  }) => markup`On the ${number(masks!.pixels)} pixels of the ${masks!.split} split that have a class. IoU is the intersection
      of given and true pixels over their union, counted over the whole split; Dice is twice the intersection over the sum of both. Beside the right pixels is
      the root of the mean squared difference of the logits from the teacher's.`,
  whole: {
    label: 'All pixels',
    head: () => ['right pixels', 'from the teacher'],
    rows: ({ masks, distance }) => [[percent(masks!.rightPixels), distance === undefined ? '–' : digits(distance)]],
  },
  parts: {
    label: 'Pixels by class',
    head: () => MASK_HEAD,
    rows: ({ masks }) => masks && maskRows(masks),
  },
  confusion: ({ masks }) => masks?.counts,
};
