import { shareOrDash } from '../../commands/terminal/evaluation.ts';
import { textTable } from '../../commands/terminal/table.ts';
import { BOX_HEAD, boxRows } from './report.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';

export const evaluationText: EvaluationText = ({ boxes }) =>
  textTable([
    [...BOX_HEAD],
    ...boxRows(boxes!),
    ['all', '', shareOrDash(boxes!.ap), shareOrDash(boxes!.ap50), shareOrDash(boxes!.recall)],
  ]);
