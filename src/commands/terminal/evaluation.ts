import { percent } from '../../base/numbers.ts';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import type { EvaluationResult } from '../../tools/evaluate.ts';

type Figures = Pick<
  EvaluationResult,
  'perClass' | 'classFigures' | 'errors' | 'labels' | 'entities' | 'masks' | 'boxes' | 'vectors'
>;

/** Table of what an evaluation found, for the terminal. */
export type EvaluationText = (figures: Figures) => string;

/** Tables by the form of the answers. */
export const EVALUATIONS = new Slot<EvaluationText>(answerForms, 'evaluationText', 'table of an evaluation');

/** Text of a share; `-` where there is none. */
export function shareOrDash(value: number | null): string {
  return value === null ? '-' : percent(value);
}
