import { digits } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';

/** Errors of predicted numbers, number by number. */
export const errorFigures: AnswerFigures = {
  name: 'numbers',
  isDrawn: true,
  parts: {
    head: () => ['predicts', 'MAE', 'RMSE', 'R²'],
    rows: ({ errors }) =>
      errors?.rows.map(({ name, mae, rmse, r2 }) => [
        name,
        digits(mae),
        digits(rmse),
        r2 === null ? '' : r2.toFixed(3),
      ]),
  },
};
