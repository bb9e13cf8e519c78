import { shareOrDash } from '../../commands/terminal/evaluation.ts';
import { textTable } from '../../commands/terminal/table.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';

export const evaluationText: EvaluationText = ({ labels }) =>
  textTable([
    ['label', 'samples', 'average precision', 'F1'],
    ...labels!.rows.map(({ name, samples, averagePrecision, f1 }) => [
      name,
      String(samples),
      shareOrDash(averagePrecision),
      shareOrDash(f1),
    ]),
  ]);
