import { percent } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';
import { number } from '../../report/format.ts';
import { markup } from '../../report/html/markup.ts';
import type { BoxReport } from './described.ts';

const share = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : percent(value, 1);

/** Head of the table of classes of boxes. */
export const BOX_HEAD = ['class', 'boxes', 'AP', 'AP50', 'recall'] as const;

/** A row for each class. */
export function boxRows({ rows }: BoxReport): string[][] {
  return rows.map(({ name, there, ap, ap50, recall }) => [name, number(there), share(ap), share(ap50), share(recall)]);
}

/** Head of the table of all boxes. */
const ALL_BOXES_HEAD = ['AP50', 'AP75', 'recall', 'small', 'medium', 'large', 'threshold', 'F1 with it'] as const;

/** Figures over all classes. */
function allBoxesRow({ ap50, ap75, recall, small, medium, large, atThreshold }: BoxReport): string[] {
  const shares = [ap50, ap75, recall, small, medium, large].map(share);
  return [...shares, atThreshold?.threshold.toFixed(2) ?? '–', share(atThreshold?.f1)];
}

/** Average precision and recall, over all boxes and class by class. */
export const boxFigures: AnswerFigures = {
  name: 'boxes',
  id: 'boxes',
  heading: 'Boxes',
  text: ({
    boxes,
  }) => markup`On the ${boxes!.split} split, by COCO's rules. AP is the average precision, mean over overlaps (intersection over
      union) of 0.50 to 0.95; AP50 and AP75 are those at one overlap. Recall is the share of boxes found among at most 100 detections of a picture, mean over
      the same overlaps. Small boxes are below 32² pixels of their pictures, large ones above 96². The threshold is the score from which boxes are shown, that of the best
      F1 on the validation split, over all classes at an overlap of 0.5; the F1 with it is that of this split.`,
  whole: { label: 'All boxes', head: () => ALL_BOXES_HEAD, rows: ({ boxes }) => [allBoxesRow(boxes!)] },
  parts: {
    label: 'Boxes by class',
    head: () => BOX_HEAD,
    rows: ({ boxes }) => boxes && boxRows(boxes),
  },
};
