import { percent } from '../../base/numbers.ts';
import { textTable } from '../../commands/terminal/table.ts';
import { ENTITY_HEAD, entityRows } from './report.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';

export const evaluationText: EvaluationText = ({ entities }) =>
  `${textTable([[...ENTITY_HEAD], ...entityRows(entities!)])}right on ${percent(entities!.rightWords)} of ${entities!.words} words\n`;
