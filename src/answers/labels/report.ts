import { percent } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';
import { number } from '../../report/format.ts';

/** Text of a share in report.md, which leaves a cell without a value empty. */
const shareOrNone = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : percent(value);

/** Scores of several labels, label by label. */
export const labelFigures: AnswerFigures = {
  name: 'labels',
  isDrawn: true,
  parts: {
    head: () => [
      'label',
      'samples with it',
      'average precision',
      'F1 at 0.5',
      'threshold',
      'F1 with it',
      'calibration error',
    ],
    rows: ({ labels }) =>
      labels?.rows.map(({ name, samples, averagePrecision, f1, threshold, f1AtThreshold, ece }) => [
        name,
        number(samples),
        shareOrNone(averagePrecision),
        shareOrNone(f1),
        threshold?.toFixed(3) ?? '',
        shareOrNone(f1AtThreshold),
        shareOrNone(ece),
      ]),
  },
};
