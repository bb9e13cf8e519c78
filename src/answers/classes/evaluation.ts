import { digits, percent } from '../../base/numbers.ts';
import { shareOrDash } from '../../commands/terminal/evaluation.ts';
import { textTable } from '../../commands/terminal/table.ts';
import type { ClassFigures } from '../../tasks/described.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';

export const evaluationText: EvaluationText = ({ perClass, classFigures }) => {
  const rows = Object.entries(perClass!).map(([name, accuracy]) => [name, shareOrDash(accuracy)]);
  const further = classFigures === undefined ? '' : `${classFiguresText(classFigures)}\n`;
  return `${textTable([['class', 'accuracy'], ...rows])}${further}`;
};

/** Such as `ROC AUC 93.20 %, macro F1 87.10 %, log loss 0.301`. */
function classFiguresText({ auc, macroF1, logLoss }: ClassFigures): string {
  return `${auc === null ? '' : `ROC AUC ${percent(auc)}, `}macro F1 ${percent(macroF1)}, log loss ${digits(logLoss)}`;
}
