import { mean, normalTails } from '../../../base/math/statistics.ts';
import { percent } from '../../../base/numbers.ts';
import { number } from '../../../report/format.ts';
import { taskOf } from '../../../tasks/registry.ts';
import type { StageContext } from '../../context.ts';
import type { MeasuredModels } from './measure.ts';

/** Probability of such a difference between two splits that are as hard for a teacher: one run in a hundred. */
const CHANCE = 0.01;
/** Share of the teacher's difference from which on the twin's, which has seen neither split, explains it by the splits. */
const EXPLAINED = 0.5;

/**
 * Warning about a teacher that is a file and more accurate on validation than on test, by more than chance and by more than the twin is: it has
 * probably been trained on the validation split. Undefined for others, and without a test split or a share of right answers.
 */
export function memorizedValidation(
  { data: { validation, test } }: Pick<StageContext, 'data'>,
  measured: readonly Pick<MeasuredModels, 'row'>[],
): string | undefined {
  const scoresOf = (role: string) =>
    measured.flatMap(({ row: { model, format, precision, score } }) =>
      model.role === role && (role === 'teacher' || (format === 'onnx' && precision === 'fp32')) ? [score] : [],
    );
  const [teacher] = scoresOf('teacher');
  if (teacher === undefined || test === undefined || !taskOf(validation).score.isShareRight) return undefined;
  const [seen, unseen] = [teacher.validation!, teacher.test!];
  const gap = seen - unseen;
  const ofTwin = scoresOf('scratch').map((score) => score.validation! - score.test!);
  const pooled = (seen * validation.count + unseen * test.count) / (validation.count + test.count);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / validation.count + 1 / test.count));
  const isOfSplits = ofTwin.length > 0 && mean(ofTwin) > EXPLAINED * gap;
  if (gap <= 0 || isOfSplits || normalTails(gap / deviation) > CHANCE) return undefined;
  return `the teacher is right on ${percent(seen, 1)} of ${number(validation.count)} validation samples and on ${percent(unseen, 1)} of ${number(test.count)} test samples: it has probably been trained on the validation split, and so on train, and the student learns answers that it has memorized. Name a split that it has not seen (dataset.validation), or as teacher.logits answers to each sample of train by a model that was not trained on it (docs/teachers.md)`;
}
