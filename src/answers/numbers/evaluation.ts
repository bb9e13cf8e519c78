import { digits } from '../../base/numbers.ts';
import { textTable } from '../../commands/terminal/table.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';

export const evaluationText: EvaluationText = ({ errors }) =>
  textTable([
    ['predicts', 'MAE', 'RMSE', 'R²'],
    ...errors!.rows.map(({ name, mae, rmse, r2 }) => [
      name,
      digits(mae),
      digits(rmse),
      r2 === null ? '-' : r2.toFixed(3),
    ]),
  ]);
