import { textTable } from '../../commands/terminal/table.ts';
import type { EvaluationText } from '../../commands/terminal/evaluation.ts';
import { tokenHead, tokenRow } from './report.ts';

export const evaluationText: EvaluationText = ({ nextTokens }) =>
  `${textTable([tokenHead(nextTokens!), tokenRow(nextTokens!)])}on ${nextTokens!.bytes} bytes and ${nextTokens!.words} words\n`;
