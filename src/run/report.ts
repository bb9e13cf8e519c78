import type { ModelRef } from '../report/artifact.ts';
import type { ModelRow, Report, TeacherSummary } from '../report/types.ts';
import type { PruningSensitivity, QuantizationSensitivity } from '../report/sensitivity.ts';
import { taskOf } from '../tasks/registry.ts';
import { verdictOf } from '../report/verdict.ts';
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
  const task = taskOf(data.validation);
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
      .map(({ row, answers: own }) => ({
        ...row,
        latency: timed?.rows.get(row.id) ?? [],
        ...agreementOf(row, own, measured, context),
      })),
    ...(hasPair && { verdict: verdictOf(distilled, scratch, (data.test ?? data.validation).count, task.score) }),
    ...(pruningSensitivity !== undefined && { pruningSensitivity }),
    parity: measured.flatMap(({ exported }) => (exported === undefined ? [] : [exported.parity])),
    ...(timed?.measurement && { measurement: timed.measurement }),
    ...(quantizationSensitivity !== undefined && { quantizationSensitivity }),
    notes: [...data.warnings, ...notes, ...(timed?.notes ?? [])],
  };
}

/** How a model stands beside the teacher, sample by sample. */
function agreementOf(
  { model: { role } }: ModelRow,
  answers: Float32Array,
  measured: readonly Measured[],
  { data }: Pick<StageContext, 'data'>,
): Pick<ModelRow, 'agreement' | 'distance'> {
  const teacher = measured.find(({ row }) => row.model.role === 'teacher');
  if (teacher === undefined || role === 'teacher') return {};
  const split = data.test === undefined ? 'validation' : 'test';
  const { agreement, distance } = taskOf(data.validation).beside(answers, teacher.answers, data[split]!.targets);
  return {
    ...(agreement !== undefined && { agreement: { split, ...agreement } }),
    ...(distance !== undefined && { distance }),
  };
}
