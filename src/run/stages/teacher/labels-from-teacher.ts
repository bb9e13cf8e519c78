import { labelledCount } from '../../../data/readers/labelled.ts';
import { isWithoutLabels, scoredByTeacher } from '../../../distill/answers/scored-by-teacher.ts';
import { taskRow } from '../../../recipe/task.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import { number } from '../../../report/format.ts';
import { progressOf } from '../../../train/progress.ts';
import type { StageContext } from '../../context.ts';
import type { Teaching } from './given-teacher.ts';

/** The context with the teacher's answers in place of missing labels of the validation and test splits. */
export async function withScores<C extends Pick<StageContext, 'data' | 'onEvent' | 'signal'>>(
  context: C,
  teaching: Teaching | undefined,
): Promise<C> {
  if (!isWithoutLabels(context.data) || teaching?.teacher === undefined) return context;
  const { teacher } = teaching;
  const stage = 'score by teacher';
  context.onEvent({ type: 'stage', stage });
  const data = await scoredByTeacher(context.data, teacher, progressOf(context, stage));
  const message = `no labels are read: every score is agreement with ${teacher.name}, not accuracy`;
  context.onEvent({ type: 'warning', message });
  return { ...context, data };
}

/** Sentence on the samples that student and twin learn from; undefined if every sample has a label. */
export function learntFrom({ data: { train }, recipe }: Pick<StageContext, 'data' | 'recipe'>): string | undefined {
  const [known, { minConfidence }] = [labelledCount(train), recipe.distill];
  const what = taskRow(recipe.dataset.task).answersPer === 'point' ? ['boxes', 'score'] : ['answers', 'probability'];
  const sure =
    minConfidence === undefined ? '' : `, ${what[0]!} of the teacher below a ${what[1]!} of ${minConfidence} left out`;
  if (known === train.count)
    return sure === '' ? undefined : `the student learnt from ${number(train.count)} samples${sure}`;
  const twin = known > 0 && recipe.baseline ? `; its twin from those ${number(known)}, for as many steps` : '';
  return `the student learnt from ${number(train.count)} samples, ${number(known)} of them with a label${sure}${twin}`;
}

/** Notes for the report on the samples that each model has learned from, and on a missing twin. */
export function labelNotes(context: Pick<StageContext, 'data' | 'recipe'>): string[] {
  const { recipe, data } = context;
  if (recipe.student === undefined) return [];
  // A recipe without a teacher trains with a peer.
  if (recipe.teacher === undefined) return [];
  const seen = learntFrom(context);
  return [...(seen === undefined ? [] : [seen]), ...twinNotes(recipe, labelledCount(data.train))];
}

function twinNotes({ baseline }: Recipe, known: number): string[] {
  if (!baseline || known > 0) return [];
  return [
    'no twin was trained without the teacher: no sample of train has a label. The training curve counts agreement with the teacher',
  ];
}
