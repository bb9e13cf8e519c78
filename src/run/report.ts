import { sideBySide } from '../measure/accuracy.ts';
import { isSameContent } from '../report/artifact.ts';
import type { ModelRef } from '../report/artifact.ts';
import type { Pair } from '../report/certainty.ts';
import type {
  Agreement,
  ModelRow,
  PruningSensitivity,
  QuantizationSensitivity,
  Report,
  TeacherSummary,
} from '../report/types.ts';
import { pairOf, repeatsOf, verdictOf } from '../report/verdict.ts';
import type { StageContext } from './context.ts';
import { factsOf, frameOf } from '../folder/report-frame.ts';
import type { Course } from '../folder/report-frame.ts';
import type { Timed } from './stages/latency.ts';
import type { Measured } from './stages/measure.ts';

/** What the stages came to, as far as the run came. */
export interface Findings extends Course {
  readonly measured: readonly Measured[];
  readonly answers?: TeacherSummary | undefined;
  readonly timed?: Timed | undefined;
  readonly pruningSensitivity?: PruningSensitivity | undefined;
  /** What stages left alone, and why. */
  readonly notes?: readonly string[];
  readonly quantizationSensitivity?: QuantizationSensitivity | undefined;
}

/** Everything that a run found out, side by side. Models appear once, repeats of them in the verdict. */
export function makeReport(
  context: StageContext,
  { measured, answers, timed, notes = [], quantizationSensitivity, pruningSensitivity, ...rest }: Findings,
): Report {
  const { data } = context;
  const samples = (data.test ?? data.validation).count;
  const test = (role: ModelRef['role']): number[] =>
    measured.flatMap(({ row }) => {
      const { validation, test: onTest } = row.accuracy;
      return row.model.role === role && row.precision === 'fp32' && row.format === 'onnx'
        ? [onTest ?? validation ?? NaN]
        : [];
    });
  const [distilled, scratch] = [test('distilled'), test('scratch')];
  const hasPair = distilled.length > 0 && distilled.length === scratch.length;
  return {
    ...frameOf(context.recipe, factsOf(context), rest),
    status: 'complete',
    ...(answers !== undefined && { teacher: answers }),
    models: measured
      .filter(({ row }) => row.model.repeat === 0)
      .map(({ row, predicted }) => ({
        ...row,
        ...repeatsIn(measured, row, samples),
        latency: timed?.rows.get(row.id) ?? [],
        ...agreementOf(row, predicted, measured, data),
      })),
    ...(hasPair && { verdict: { ...verdictOf(distilled, scratch, samples), ...pairIn(measured, data) } }),
    ...(pruningSensitivity !== undefined && { pruningSensitivity }),
    parity: measured.flatMap(({ exported }) => (exported === undefined ? [] : [exported.parity])),
    ...(timed?.measurement && { measurement: timed.measurement }),
    ...(quantizationSensitivity !== undefined && { quantizationSensitivity }),
    notes: [...data.warnings, ...notes, ...(timed?.notes ?? [])],
  };
}

/** The accuracies of a model that was trained more than once. */
function repeatsIn(measured: readonly Measured[], first: ModelRow, samples: number): Pick<ModelRow, 'repeats'> {
  const isSame = ({ row }: Measured): boolean =>
    row.format === first.format && isSameContent({ ...row, model: { ...row.model, repeat: 0 } }, first);
  const accuracies = measured
    .filter(isSame)
    .flatMap(({ row: { accuracy } }) => accuracy.test ?? accuracy.validation ?? []);
  return accuracies.length < 2 ? {} : { repeats: repeatsOf(accuracies, samples) };
}

/** The only student and its only twin, sample by sample. */
function pairIn(measured: readonly Measured[], data: StageContext['data']): { pair?: Pair } {
  const of = (role: ModelRef['role']): readonly Measured[] =>
    measured.filter(({ row }) => row.model.role === role && row.precision === 'fp32' && row.format === 'onnx');
  const [[distilled, ...more], [scratch]] = [of('distilled'), of('scratch')];
  if (distilled === undefined || scratch === undefined || more.length > 0) return {};
  const split = data.test === undefined ? 'validation' : 'test';
  const { labels } = data[split]!;
  const { onlyThis, onlyOther } = sideBySide(distilled.predicted, scratch.predicted, labels);
  const counts = { onlyFirst: onlyThis, onlySecond: onlyOther, samples: labels.length };
  return { pair: pairOf(split, counts) };
}

/** How a model stands beside the teacher, sample by sample. */
function agreementOf(
  { model: { role } }: ModelRow,
  predicted: Int32Array,
  measured: readonly Measured[],
  data: StageContext['data'],
): { agreement?: Agreement } {
  const teacher = measured.find(({ row }) => row.model.role === 'teacher');
  if (teacher === undefined || role === 'teacher') return {};
  const split = data.test === undefined ? 'validation' : 'test';
  const { onlyOther, ...counts } = sideBySide(predicted, teacher.predicted, data[split]!.labels);
  return { agreement: { split, ...counts, onlyTeacher: onlyOther } };
}
