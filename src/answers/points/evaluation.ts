import { percent } from '../../base/numbers.ts';
import { textTable } from '../../commands/terminal/table.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';
import { pointHead, pointRows } from './report.ts';

export const evaluationText: EvaluationText = ({ points }) => {
  const { ap, there } = points!;
  const said = ap === null ? '' : `AP by the similarity of points (OKS): ${percent(ap, 1)}\n`;
  return `${textTable([pointHead(points!), ...pointRows(points!)])}${there} labelled points\n${said}`;
};
