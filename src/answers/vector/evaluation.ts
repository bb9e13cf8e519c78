import { textTable } from '../../commands/terminal/table.ts';
import { vectorHead, vectorRows } from './report.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';

export const evaluationText: EvaluationText = ({ vectors }) =>
  textTable([vectorHead(vectors!), ...vectorRows(vectors!)]);
