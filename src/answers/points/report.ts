import { percent } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';
import { number } from '../../report/format.ts';
import { markup } from '../../report/html/markup.ts';
import type { PointsReport } from './described.ts';

const share = (value: number | null): string => (value === null ? '–' : percent(value, 1));
const pixels = (value: number | null): string => (value === null ? '–' : value.toFixed(1));

function heads({ within }: PointsReport): string[] {
  return within.map(({ distance }) => `within ${percent(distance, 1)}`);
}

/** Head of the table of points. */
export function pointHead(points: PointsReport): string[] {
  return ['point', 'labels', ...heads(points), 'mean error', 'median, pixels'];
}

/** A row for each point. */
export function pointRows({ rows }: PointsReport): string[][] {
  return rows.map(({ name, there, within, error, median }) => [
    name,
    number(there),
    ...within.map(share),
    share(error),
    pixels(median),
  ]);
}

/** Distances of points from their labels, over all points and point by point. */
export const pointFigures: AnswerFigures = {
  name: 'points',
  id: 'points',
  heading: 'Points',
  text: ({
    points,
  }) => markup`On the ${number(points!.there)} labelled points of the ${points!.split} split. Distances are shares of the picture's longer side; PCK is the share of
      points within the first of them. AUC is the mean of the shares within distances up to the largest. AP is the average precision by the similarity of points (OKS),
      with one object in each picture, by COCO's rules.`,
  whole: {
    label: 'All points',
    head: ({ points }) => [...heads(points!), 'AUC', 'mean error', 'median, pixels', 'AP', 'AP50', 'AP75'],
    rows: ({ points }) => {
      const { within, auc, error, median, ap, ap50, ap75 } = points!;
      return [
        [
          ...within.map((one) => share(one.share)),
          share(auc),
          share(error),
          pixels(median),
          ...[ap, ap50, ap75].map(share),
        ],
      ];
    },
  },
  parts: {
    label: 'Points by name',
    head: ({ points }) => pointHead(points!),
    rows: ({ points }) => points && pointRows(points),
  },
};
