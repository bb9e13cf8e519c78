import { digits, percent } from '../../base/numbers.ts';
import type { ClassFigures } from '../../tasks/described.ts';

export const CLASS_FIGURES_HEAD = ['ROC AUC', 'macro F1', 'log loss'] as const;

/** Cells below `CLASS_FIGURES_HEAD`; empty for a report that was written without these figures. */
export function classFigureCells(figures: ClassFigures | undefined): readonly string[] {
  if (figures === undefined) return ['', '', ''];
  const { auc, macroF1, logLoss } = figures;
  return [auc === null ? '–' : percent(auc), percent(macroF1), digits(logLoss)];
}
