import { mean } from '../base/math/statistics.ts';
import { decimals } from '../base/numbers.ts';
import { isBetter } from '../tasks/score.ts';
import type { Score } from '../tasks/score.ts';
import { formName, isSameModel } from './artifact.ts';
import type { ModelRef } from './artifact.ts';
import { rowScore, scoreOf } from './score.ts';
import { taughtBy } from './taught-by.ts';
import type { ModelRow, Report, Verdict } from './types.ts';

const DISTILLED: ModelRef = { role: 'distilled', repeat: 0 };
const TWIN: ModelRef = { role: 'scratch', repeat: 0 };

interface BetterTwin {
  /** The file to take instead. */
  readonly row: ModelRow;
  readonly sentence: string;
}

/** The twin of the student that a file was made from, if it is ahead: in the form of the file, or in float. */
export function betterTwin(
  report: Report,
  file: Pick<ModelRow, 'model' | 'precision' | 'format'> = { model: DISTILLED, precision: 'fp32', format: 'onnx' },
): BetterTwin | undefined {
  const { verdict, models, dataset } = report;
  const isStudent = file.model.role === 'distilled' || file.model.role === 'pruned';
  // Agreement with a teacher is no reason to prefer a model.
  if (verdict === undefined || !isStudent || dataset.labelledBy !== undefined) return undefined;
  const find = (model: ModelRef, form: Pick<ModelRow, 'precision' | 'format'>): ModelRow | undefined =>
    models.find(
      (row) => isSameModel(row.model, model) && formName('', row) === formName('', form) && row.format === form.format,
    );
  const float = { precision: 'fp32', format: 'onnx' } as const;
  const [student, twin] = [find(DISTILLED, float), find(TWIN, float)];
  const [own, its] = [student && rowScore(student), twin && rowScore(twin)];
  if (twin === undefined || typeof own !== 'number' || typeof its !== 'number') return undefined;
  const score = scoreOf(report);
  if (-verdict.gain < score.smallestGain(its)) return undefined;
  const row = find(TWIN, file) ?? twin;
  const better = row.file === null ? '' : `: ${row.file} is the better file`;
  const sentence = `The student trained without the ${taughtBy(report)} ${ahead(score, its, own)}, ${chance(verdict)}${better}`;
  return { row, sentence };
}

function ahead(score: Score, its: number, own: number): string {
  if (!score.isShareRight)
    return `has a ${score.name} of ${score.text(its)} against ${score.text(own)} of the distilled one`;
  return `is ${decimals(100 * (its - own), 1)} points more accurate than the distilled one`;
}

function chance({ pair, interval }: Verdict): string {
  if (interval !== null) return interval[1] < 0 ? 'by more than chance' : 'which may be chance';
  return pair !== undefined && pair.p < 0.05
    ? 'by more than the choice of samples explains'
    : 'which in one run of each may be chance';
}

/** Sentence on a teacher that is no better on the validation split than the student without it, with what to try; undefined of a better one. */
export function noBetterTeacher(rows: readonly ModelRow[], score: Score): string | undefined {
  const validation = (of: ModelRef['role']): number[] =>
    rows.flatMap(({ model, precision, score: own }) =>
      model.role === of && precision === 'fp32' && own.validation !== null ? [own.validation] : [],
    );
  const [teacher, twins] = [validation('teacher')[0], validation('scratch')];
  if (teacher === undefined || twins.length === 0 || isBetter(score, teacher, mean(twins))) return undefined;
  return (
    `the teacher is no better on the validation split (${score.name} ${score.text(teacher)}) than the student trained without it ` +
    `(${score.text(mean(twins))}), which has little to learn from it: try a teacher that is better on these data, or a smaller distill.alpha, ` +
    'with which the labels weigh more'
  );
}
