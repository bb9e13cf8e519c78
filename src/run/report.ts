import { isSameContent } from '../report/artifact.ts';
import type { ModelRef } from '../report/artifact.ts';
import type { Examples, ModelRow, Pair, Report, TeacherSummary, Verdict } from '../report/types.ts';
import type { ChannelCuts, PruningSensitivity, QuantizationSensitivity, Race } from '../report/types.ts';
import type { AnswerFile } from '../ship/answer-files.ts';
import type { StreamFile } from '../ship/convert/streams.ts';
import { taskOf } from '../tasks/registry.ts';
import type { Score } from '../tasks/score.ts';
import { taughtBy } from '../report/taught-by.ts';
import type { TaughtBy } from '../report/taught-by.ts';
import { pairOf, repeatsOf, verdictOf } from '../report/verdict.ts';
import type { RunStores } from '../folder/states/stores.ts';
import type { StageContext } from './context.ts';
import { factsOf, frameOf } from '../folder/report/report-frame.ts';
import type { Course } from '../folder/report/report-frame.ts';
import { learntFrom } from './stages/teacher/labels-from-teacher.ts';
import type { Timed } from './stages/measure/latency.ts';
import type { MeasuredModels } from './stages/measure/measure.ts';

/** Results of the stages, as far as the run has come. */
export interface RunFindings extends Course {
  readonly measured: readonly MeasuredModels[];
  /** Files that answer with classes or probabilities, by the id of the file with logits. */
  readonly answerFiles?: ReadonlyMap<string, AnswerFile> | undefined;
  /** Streams, by the id of the file that takes windows. */
  readonly streamFiles?: ReadonlyMap<string, StreamFile> | undefined;
  readonly answers?: TeacherSummary | undefined;
  readonly examples?: Examples | undefined;
  readonly timed?: Timed | undefined;
  readonly pruningSensitivity?: PruningSensitivity | undefined;
  readonly channels?: ChannelCuts | undefined;
  /** Notes on omissions of stages, with reasons. */
  readonly notes?: readonly string[];
  readonly quantizationSensitivity?: QuantizationSensitivity | undefined;
  readonly race?: Race | undefined;
}

/**
 * The stages of a run. They return their findings, and the data that models were scored on: labels that are missing are replaced by the teacher's
 * answers.
 */
export type Stages = (
  context: StageContext,
  stores: RunStores,
) => Promise<Partial<RunFindings> & { readonly data?: StageContext['data'] }>;

/** Makes the report of a run. Each model has one row; its repeats are in the verdict. */
export function makeReport(
  context: Pick<StageContext, 'recipe' | 'written' | 'data'>,
  {
    measured,
    answerFiles,
    streamFiles,
    answers,
    examples,
    timed,
    notes = [],
    race,
    quantizationSensitivity,
    pruningSensitivity,
    channels = [],
    ...rest
  }: RunFindings,
): Report {
  const { data } = context;
  const task = taskOf(data.validation);
  const samples = (data.test ?? data.validation).count;
  const test = (role: ModelRef['role']): number[] =>
    measured.flatMap(({ row }) => {
      const { validation, test: onTest } = row.score;
      return row.model.role === role && row.precision === 'fp32' && row.format === 'onnx'
        ? [onTest ?? validation ?? NaN]
        : [];
    });
  const [distilled, scratch] = [test('distilled'), test('scratch')];
  const teacher = measured.find(({ row }) => row.model.role === 'teacher')?.answers();
  const hasPair = distilled.length > 0 && distilled.length === scratch.length;
  return {
    ...frameOf(context.recipe, factsOf(context), rest),
    status: 'complete',
    ...(answers !== undefined && { teacher: answers }),
    models: measured
      .filter(({ row }) => row.model.repeat === 0)
      .map(({ row, answers: own }) => ({
        ...row,
        ...repeatsIn(measured, row, samples, task.score),
        latency: timed?.rows.get(row.id) ?? [],
        ...(teacher !== undefined && row.model.role !== 'teacher' && agreementOf(own(), teacher, context)),
        ...answersOf(answerFiles?.get(row.id), timed),
        ...streamIn(streamFiles?.get(row.id), timed),
      })),
    ...(hasPair && {
      verdict: {
        ...verdictIn(context, distilled, scratch, samples),
        ...pairIn(measured, data, taughtBy({ recipe: context.written })),
      },
    }),
    ...(pruningSensitivity !== undefined && { pruningSensitivity }),
    ...(channels.length > 0 && { channels }),
    ...(examples !== undefined && { examples }),
    parity: measured.flatMap(({ exported }) => (exported === undefined ? [] : [exported.parity])),
    ...(timed?.measurement && { measurement: timed.measurement }),
    ...(race !== undefined && { race }),
    ...(quantizationSensitivity !== undefined && { quantizationSensitivity }),
    notes: [...data.warnings, ...notes, ...(timed?.notes ?? [])],
  };
}

/** The verdict, with the sources of learning if student and twin learned from different samples. */
function verdictIn(
  context: Pick<StageContext, 'recipe' | 'data'>,
  distilled: readonly number[],
  scratch: readonly number[],
  samples: number,
): Verdict {
  const verdict = verdictOf(distilled, scratch, samples, taskOf(context.data.validation).score);
  const seen = learntFrom(context);
  return seen === undefined ? verdict : { ...verdict, sentence: `${verdict.sentence}; ${seen}` };
}

/** The part of a row on the file that answers with classes or probabilities. */
function answersOf(file: AnswerFile | undefined, timed: Timed | undefined): Pick<ModelRow, 'answerFile'> {
  if (file === undefined) return {};
  const { file: name, bytes, outputs, samples, agreement } = file;
  const latency = timed?.rows.get(file.name) ?? [];
  return { answerFile: { outputs, file: name, sizeBytes: bytes.length, samples, agreement, latency } };
}

/** The part of a row on its stream. */
function streamIn(file: StreamFile | undefined, timed: Timed | undefined): Pick<ModelRow, 'stream'> {
  return file === undefined ? {} : { stream: { ...file.row, latency: timed?.rows.get(file.name) ?? [] } };
}

/** The scores of a model that was trained more than once. */
function repeatsIn(
  measured: readonly MeasuredModels[],
  first: ModelRow,
  samples: number,
  score: Score,
): Pick<ModelRow, 'repeats'> {
  const isSame = ({ row }: MeasuredModels): boolean =>
    row.format === first.format && isSameContent({ ...row, model: { ...row.model, repeat: 0 } }, first);
  const scores = measured.filter(isSame).flatMap(({ row: { score } }) => score.test ?? score.validation ?? []);
  return scores.length < 2 ? {} : { repeats: repeatsOf(scores, samples, score) };
}

/** Comparison of student and twin sample by sample; empty unless the run has exactly one of each. */
function pairIn(measured: readonly MeasuredModels[], data: StageContext['data'], by: TaughtBy): { pair?: Pair } {
  const modelsOf = (role: ModelRef['role']): readonly MeasuredModels[] =>
    measured.filter(({ row }) => row.model.role === role && row.precision === 'fp32' && row.format === 'onnx');
  const [[distilled, ...more], [scratch]] = [modelsOf('distilled'), modelsOf('scratch')];
  if (distilled === undefined || scratch === undefined || more.length > 0) return {};
  const split = data.test === undefined ? 'validation' : 'test';
  const { targets, count } = data[split]!;
  const task = taskOf(data.validation);
  const { agreement } = task.beside(distilled.answers(), scratch.answers(), targets);
  // Only classifications have samples that are right or wrong, and only accuracy counts them.
  if (agreement === undefined || !task.score.isShareRight) return {};
  const counts = { onlyFirst: agreement.onlyThis, onlySecond: agreement.onlyTeacher, samples: count };
  return { pair: pairOf(split, counts, by) };
}

/** Agreement of a model with the teacher, sample by sample. */
function agreementOf(
  answers: Float32Array,
  teacher: Float32Array,
  { data }: Pick<StageContext, 'data'>,
): Partial<ModelRow> {
  const split = data.test === undefined ? 'validation' : 'test';
  const { distance, ...parts } = taskOf(data.validation).beside(answers, teacher, data[split]!.targets);
  const known = Object.entries(parts).filter(([, part]) => part !== undefined);
  return {
    ...Object.fromEntries(known.map(([name, part]) => [name, { split, ...part }])),
    ...(distance !== undefined && { distance }),
  };
}
