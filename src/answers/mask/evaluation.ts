import { percent } from '../../base/numbers.ts';
import { textTable } from '../../commands/terminal/table.ts';
import { MASK_HEAD, maskRows } from './report.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';

export const evaluationText: EvaluationText = ({ masks }) =>
  `${textTable([[...MASK_HEAD], ...maskRows(masks!)])}right on ${percent(masks!.rightPixels)} of ${masks!.pixels} pixels\n`;
