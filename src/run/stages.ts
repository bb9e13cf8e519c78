import { labelledCount } from '../data/readers/labelled.ts';
import { isWithoutLabels } from '../distill/answers/scored-by-teacher.ts';
import { STREAMS } from '../base/streams.ts';
import type { RunStores } from '../folder/states/stores.ts';
import { NEEDS_PEER } from '../recipe/schema/loss.ts';
import { streamFormats } from '../recipe/schema/export.ts';
import { stageOf, TEACHER } from '../report/artifact.ts';
import type { Race } from '../report/types.ts';
import type { AnswerFile } from '../ship/answer-files.ts';
import { STREAM_FILES } from '../ship/convert/streams.ts';
import type { StreamFile } from '../ship/convert/streams.ts';
import { exportModel } from '../ship/export.ts';
import type { TrainedModel } from '../ship/export.ts';
import { engineOf } from '../setup/engine.ts';
import { noBetterTeacher } from '../report/twin.ts';
import { taskOf } from '../tasks/registry.ts';
import { progressOf } from '../train/progress.ts';
import { lanesOf, trainAtOnce } from './at-once.ts';
import type { Training } from './at-once.ts';
import type { FitContext, StageContext } from './context.ts';
import { tellForecast } from './forecast.ts';
import { generationsOf, leaveOutOf, mutualMethod, raceLosses, withAssistants } from './methods.ts';
import { repeatKey, takeRepeat } from './repeat-key.ts';
import type { Stages } from './report.ts';
import { checkModels } from './stages/check/check-models.ts';
import { checkStudentAnswers } from './stages/check/student-answers.ts';
import { examplesOf } from './stages/measure/examples.ts';
import { timeModels } from './stages/measure/latency.ts';
import { memorizedValidation } from './stages/measure/memorized.ts';
import { measure, measureTeacher } from './stages/measure/measure.ts';
import type { MeasuredModels } from './stages/measure/measure.ts';
import { shipModel } from './stages/ship.ts';
import { checkLoss, trainStudent } from './stages/student/train-student.ts';
import { collectAnswers } from './stages/teacher/answer.ts';
import type { Answers } from './stages/teacher/answer.ts';
import { labelNotes, withScores } from './stages/teacher/labels-from-teacher.ts';
import { teach } from './stages/teacher/teach.ts';
import type { Teaching } from './stages/teacher/given-teacher.ts';

/**
 *     recipe ─► data ─► 0 check ─► 1 teach ─► 2 answer ─► 3 scratch ─► 4 distill ─► 5 prune
 *                                     │           │            │            │           │
 *                                     └───────────┴── saved in the run's folder ────────┤
 *                                                                                       ▼
 *                                  report ◄─ 9 time ◄─ 8 measure ◄─ 7 quantize ◄─ 6 export
 */
export async function stages(begin: StageContext, stores: RunStores): ReturnType<Stages> {
  const { context, teaching, files, answerFiles, streamFiles, students, pruned, notes, ...found } = await makeFiles(
    begin,
    stores,
  );

  // 8. Score on the test split, for the first and only time.
  const measured: MeasuredModels[] = [];
  const tell = progressOf(context, 'measure');
  for (const file of files) {
    measured.push(await measure(context, file));
    tell('file', measured.length, files.length);
  }
  const opened = teaching?.trained === undefined && teaching?.teacher !== undefined;
  if (opened) measured.unshift(await measureTeacher(context, teaching.teacher));
  const memorized = opened && !isWithoutLabels(begin.data) ? memorizedValidation(context, measured) : undefined;
  if (memorized !== undefined) context.onEvent({ type: 'warning', message: memorized });

  const noBetter = noBetterTeacher(
    measured.map(({ row }) => row),
    taskOf(context.data.validation).score,
  );
  if (noBetter !== undefined) context.onEvent({ type: 'warning', message: noBetter });

  // 9. Measure latencies side by side. Of several processes only the first measures, and writes the report.
  if (context.processes.rank > 0) return { data: context.data };
  const timed = await timeModels(context, measured, [answerFiles, streamFiles]);
  const slower =
    pruned.length > 0 ? (await import('./stages/prune/prune.ts')).sizeOnly(students, pruned, timed.rows) : [];
  return {
    ...found,
    data: context.data,
    measured,
    answerFiles,
    streamFiles,
    timed,
    examples: await examplesOf(context, measured),
    notes: [noBetter, ...notes, memorized, ...slower].filter((note) => note !== undefined),
  };
}

/** Stages 0 to 7. A function of its own, so that the teacher's stored answers leave the memory before models are measured. */
async function makeFiles(begin: StageContext, stores: RunStores) {
  const prepared = await prepareStudents(begin, stores);
  const { context, teaching, lessons } = prepared;
  const students = await trainStudents(prepared, stores);

  // 5. Remove channels or weights; each step gives a student of its own.
  const sensitivity = context.recipe.report.pruningSensitivity
    ? await (await import('./stages/prune/sensitivity.ts')).pruningSensitivity(context, students)
    : undefined;
  const { pruned, channels, notes } =
    context.recipe.prune.length > 0
      ? await (await import('./stages/prune/prune.ts')).pruneStudents(context, students, lessons)
      : { pruned: [], channels: [], notes: [] };

  // 6. Export models; each file is compared with its training graph before it is trusted.
  const files = [];
  if (teaching?.trained !== undefined) {
    files.push(await exportModel(context, { model: TEACHER, trained: teaching.trained }, stores.write));
  }
  for (const student of [...students, ...pruned]) files.push(await exportModel(context, student, stores.write));

  // 7. Write the last student in the other formats and with fewer bits.
  const last = files.filter(({ model }) => model.role !== 'teacher' && model.repeat === 0).at(-1);
  const shipped = last && (await shipModel(context, last, lessons, stores.write));
  files.push(...(shipped?.files ?? []));
  const { outputs = 'logits' } = context.recipe;
  const isAsked = last !== undefined && outputs !== 'logits';
  const answerFiles = isAsked
    ? await (await import('../ship/answer-files.ts')).writeAnswerFiles(context, [last, ...shipped!.files], stores.write)
    : new Map<string, AnswerFile>();
  const hasStreams = last !== undefined && streamFormats(context.recipe.export).length > 0;
  const streamFiles = hasStreams
    ? await (
        await STREAM_FILES.load(STREAMS)
      )(context, [last, ...shipped!.files], stores.write)
    : new Map<string, StreamFile>();
  return {
    context,
    teaching,
    files,
    answerFiles,
    streamFiles,
    students,
    pruned,
    channels,
    answers: lessons?.summary,
    race: prepared.race,
    pruningSensitivity: sensitivity,
    quantizationSensitivity: shipped?.sensitivity,
    notes: [
      ...prepared.notes,
      ...labelNotes(context),
      ...students.flatMap(({ trained }) => trained.notes ?? []),
      ...(hasPeer(context.recipe) ? (await mutualMethod()).notes(context, students) : []),
      ...notes,
      ...(shipped?.notes ?? []),
    ],
  };
}

/** Context, teacher and answers that the students of every repeat start from. */
export interface StudentsStart {
  readonly context: StageContext;
  readonly teaching: Teaching | undefined;
  readonly lessons: Answers | undefined;
  /** Notes of the checks, and on the choice of the student's teacher and loss. */
  readonly notes: readonly string[];
  readonly race?: Race | undefined;
}

/** Prepares scored data, the teacher and its answers, and notes on both. */
export async function lessonsOf(
  begin: StageContext,
  { softTargets }: Pick<RunStores, 'softTargets'>,
): Promise<StudentsStart> {
  // 0. Check everything that would fail late.
  const begun = await checkModels(begin);
  await checkStudentAnswers(begin);

  // 1. Open or train the teacher and check its answers. They stand in for missing labels.
  const isGiven = begin.recipe.teacher?.train === undefined;
  if (!isGiven) await tellForecast(begin, (context) => rehearse(context));
  const teaching = await teach(begin);
  if (isGiven) await tellForecast(begin, (context) => rehearse(context, teaching));
  const start = await taughtBy(begin, teaching, softTargets);
  return { ...start, notes: [...begun, ...start.notes] };
}

/** The same, by a teacher that is open. */
async function taughtBy(
  begin: StageContext,
  teaching: Teaching | undefined,
  softTargets: RunStores['softTargets'],
): Promise<StudentsStart> {
  const scored = await withScores(begin, teaching);

  // 2. Collect the answers of the teacher, or of the last assistant, to the training samples, for all repeats.
  const chained = teaching && (await withAssistants(scored, teaching, softTargets));
  const leaveOut = await leaveOutOf(begin.recipe);
  const context = leaveOut?.transferSet(scored) ?? scored;
  const lessons = chained && begin.recipe.student && (await collectAnswers(context, chained.teaching, softTargets));
  return {
    context,
    teaching,
    lessons,
    notes: [...(teaching?.notes ?? []), ...(chained?.notes ?? []), ...(leaveOut?.notes(context) ?? [])],
  };
}

/** Follows the stages as far as they train students, for a forecast: `begin` has a rehearsal. `given`: the teacher, if the run does not train it. */
export async function rehearse(begin: StageContext, given?: Teaching): Promise<void> {
  const { enter, again } = begin.rehearsal!;
  const { repeats, student, prune, quantize } = begin.recipe;
  // Nothing is stored.
  const softTargets = { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };
  enter('teacher');
  const teaching = given ?? (await teach(begin));
  const start = await taughtBy(begin, teaching, softTargets);
  const { lessons } = start;
  try {
    if (student === undefined) return;
    enter('run');
    const { context } = await raceLosses(start.context, lessons, () => Promise.resolve(false));
    const trainings = trainingsOf({ context, lessons }, 0, { softTargets });
    const { lanes, share } = lanesOf(context, trainings.length * repeats);
    enter('run', repeats, lanes);
    const engine = lanes === 1 ? context.engine : await engineOf({ ...context.recipe, threads: share });
    for (const { train } of trainings) (await train({ engine })).trained.network.dispose();
    // Pruning and training with quantization take as long as the student's training for as many epochs.
    enter('run');
    for (const { finetune, ...step } of prune)
      for (let round = 0; round < ('rounds' in step ? step.rounds : 1); round++) again(finetune.epochs);
    for (const step of quantize) if ('method' in step && step.method === 'qat') again(step.qat.epochs);
  } finally {
    for (const teacher of new Set([teaching?.teacher, lessons?.teacher]))
      if (teacher !== given?.teacher) await teacher?.dispose();
    if (teaching !== given) teaching?.trained?.network.dispose();
  }
}

/** The same with the loss chosen and checked. */
export async function prepareStudents(begin: StageContext, stores: RunStores): Promise<StudentsStart> {
  const start = await lessonsOf(begin, stores);
  const { teaching, lessons } = start;
  const key = begin.recipe.distill.loss === 'auto' ? await repeatKey(start.context, teaching) : '';
  const { context, race, notes } = await raceLosses(start.context, lessons, (stage, result) =>
    stores.race.take(result, key, [stage], stores.folder),
  );
  if (lessons !== undefined) await checkLoss(context, lessons);
  const generations = lessons && (await generationsOf(context.recipe));
  return { ...start, context, race, notes: [...start.notes, ...notes, ...(generations?.notes(context) ?? [])] };
}

/** Trains the students of all repeats, or takes over their trainings from shards. */
async function trainStudents(start: StudentsStart, stores: RunStores): Promise<TrainedModel[]> {
  const { context, teaching } = start;
  const { recipe } = context;
  const repeats = Array.from({ length: recipe.student === undefined ? 0 : recipe.repeats }, (_, repeat) => repeat);
  for (const repeat of recipe.repeats > 1 ? repeats : []) {
    if (await takeRepeat(stores.folder, repeat, await repeatKey(context, teaching)))
      context.onEvent({ type: 'message', message: `repeat ${repeat + 1} was trained by a shard` });
  }
  return trainRepeats(start, repeats, stores);
}

/** Trains the students of these repeats, those of `jobs` processes first, whose trainings end in saved states. */
export async function trainRepeats(
  start: StudentsStart,
  repeats: readonly number[],
  stores: Pick<RunStores, 'folder' | 'ledger' | 'softTargets'>,
): Promise<TrainedModel[]> {
  const trainings = repeats.flatMap((repeat) => trainingsOf(start, repeat, stores));
  await trainAtOnce(start, trainings, stores);
  const students: TrainedModel[] = [];
  for (const { train } of trainings) students.push(await train());
  return students;
}

function hasPeer({ distill }: StageContext['recipe']): boolean {
  return NEEDS_PEER.has(distill.loss);
}

/** The trainings of a repeat, in order. */
export function trainingsOf(
  { context: begun, lessons }: Pick<StudentsStart, 'context' | 'lessons'>,
  repeat: number,
  { softTargets }: Pick<RunStores, 'softTargets'>,
): Training[] {
  const { recipe, data } = begun;
  const isMutual = hasPeer(recipe);
  const isTaught = lessons !== undefined || isMutual;
  const hasTwin = recipe.baseline && labelledCount(data.train) > 0;
  const training = (
    role: 'scratch' | 'distilled',
    train: (context: StageContext) => Promise<TrainedModel>,
  ): Training => ({
    stage: stageOf({ role, repeat }),
    train: (change) => train({ ...begun, ...change }),
  });
  const student = async (
    context: FitContext,
    role: 'scratch' | 'distilled',
    taught?: Answers,
  ): Promise<TrainedModel> => ({
    model: { role, repeat },
    trained: await trainStudent(context, repeat, taught),
  });
  return [
    // 3. The student without a teacher: the score that distillation has to beat.
    ...(!isTaught || hasTwin ? [training('scratch', (context) => student(context, 'scratch'))] : []),
    // 4. The student with its teacher or its peer.
    ...(isMutual ? [training('distilled', async (context) => (await mutualMethod()).train(context, repeat))] : []),
    ...(lessons === undefined
      ? []
      : [
          training('distilled', async (context) => {
            const generations = await generationsOf(recipe);
            const taught = await generations?.earlier(context, repeat, lessons, softTargets);
            return student(context, 'distilled', taught ?? lessons);
          }),
        ]),
  ];
}
