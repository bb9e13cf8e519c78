import { percent } from '../../base/numbers.ts';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import type { EvaluationFigures } from '../../tasks/described.ts';

/** Table of what an evaluation found, for the terminal. */
export type EvaluationText = (figures: EvaluationFigures) => string;

/** Tables by the form of the answers. */
export const EVALUATIONS = new Slot<EvaluationText>(answerForms, 'evaluationText', 'table of an evaluation');

/** Text of a share; `-` where there is none. */
export function shareOrDash(value: number | null): string {
  return value === null ? '-' : percent(value);
}
