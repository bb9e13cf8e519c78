import { countOfElements } from '../../data/dataset.ts';
import type { Dataset, TargetValues } from '../../data/dataset.ts';
import { surest } from '../../tasks/classification/classes.ts';
import { taskRow } from '../../recipe/task.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { taskOfWidth } from '../../tasks/task.ts';
import type { Task } from '../../tasks/task.ts';
import { withKnown } from '../../train/step/known.ts';
import type { KnownFlags } from '../../train/step/known.ts';

interface Answered {
  readonly ids: Int32Array;
  readonly targets: TargetValues;
  readonly labelled?: Float32Array;
  readonly teacher: Readonly<Record<string, Float32Array>>;
}

/** Least probability of a teacher's class for the student to learn the answer to a sample; boxes of a detector are chosen one by one. */
export function leastConfidence({ dataset, distill }: Pick<Recipe, 'dataset' | 'distill'>): number | undefined {
  return taskRow(dataset.task).answersPer === 'point' ? undefined : distill.minConfidence;
}

/** True if samples of the training may lack a label, or an answer of the teacher that the student learns. */
export function isPartial({ labelled }: Pick<Dataset, 'labelled'>, minConfidence: number | undefined): boolean {
  return labelled !== undefined || minConfidence !== undefined;
}

interface Learning {
  readonly task: Task;
  /** True if any sample of the training has a label. */
  readonly hasLabels: boolean;
  /** Minimum probability of the teacher's class for the student to learn the answer. */
  readonly minConfidence?: number | undefined;
}

/**
 * The batch with two flags for each sample: it has a label, it has a teacher's answer. If no sample of the training has a label, its score is
 * agreement with the teacher.
 */
export function known<B extends Answered & { readonly weights?: Float32Array }>(
  batch: B,
  { task, hasLabels, minConfidence }: Learning,
): B & { readonly known: KnownFlags; readonly weights: Float32Array } {
  const { ids, labelled, teacher } = batch;
  const ones = (): Float32Array => new Float32Array(ids.length).fill(1);
  const logits = teacher['teacherLogits']!;
  const classes = countOfElements(task.fields[0]!.shape);
  const isSure = (row: number): boolean =>
    minConfidence === undefined || surest(logits, row * task.width, classes).probability >= minConfidence;
  const label = labelled ?? ones();
  const answer = Float32Array.from(ids, (_, row) => (isSure(row) ? 1 : 0));
  const scored = hasLabels ? label : ones();
  const answered = taskOfWidth(task, logits.length / ids.length);
  const targets = hasLabels ? batch.targets : answered.asTargets(logits);
  const own = batch.weights ?? task.weightOf?.(targets, hasLabels ? label : undefined);
  const byTeacher = answered === task ? undefined : task.taught?.weightOf(logits);
  const weights = byTeacher === undefined ? own : own?.map((weight, i) => (label[i] === 0 ? byTeacher[i]! : weight));
  return withKnown({ ...batch, targets, ...(weights && { weights }) }, { label, answer, scored });
}
