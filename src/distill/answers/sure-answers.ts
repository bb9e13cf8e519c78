import { Slot } from '../../base/registry.ts';
import type { Dataset } from '../../data/dataset.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { taskRow } from '../../recipe/task.ts';
import type { TeacherFault } from '../preflight/diagnosis.ts';
import type { SoftTargets } from './soft-targets.ts';

/** Samples that a teacher was asked about. */
export interface AskedSamples {
  readonly rows: Int32Array;
  /** True if all of them have labels. */
  readonly hasLabels: boolean;
  /** Their number with the name of the split, as text. */
  readonly text: string;
}

/** Choice of the answers that teach, for forms in which a teacher gives a sample several answers with a score each. */
export interface SureAnswers {
  /** The answers that teach: those with at least the score `minConfidence`. `UserError` where the teacher's answers have no such score. */
  sure(answers: SoftTargets, dataset: Dataset, minConfidence: number | undefined): SoftTargets;
  /** Warning about a teacher with few of them. `given`: answers to the samples. */
  few(
    name: string,
    given: Float32Array,
    dataset: Dataset,
    asked: AskedSamples,
    minConfidence?: number,
  ): string | undefined;
  /** Order of classes under which the teacher's answers fit the labels; undefined if they fit in the order of the data. `declared`: order that the recipe or the file states. */
  otherClasses(
    given: Float32Array,
    dataset: Dataset,
    asked: { readonly rows: Int32Array; readonly declared?: readonly string[] | undefined },
  ): TeacherFault | undefined;
}

const SURE = new Slot<SureAnswers>(answerForms, 'sureAnswers', 'answers with scores');

/** The choice for the form of a data set's answers; undefined for forms of which every answer teaches. */
export function sureAnswersOf({ task }: Pick<Dataset, 'task'>): Promise<SureAnswers | undefined> {
  return SURE.loadIfThere(taskRow(task).form);
}
