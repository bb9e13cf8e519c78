import path from 'node:path';
import { inShell, InterruptedError } from '../base/errors.ts';
import { firstMissing } from '../base/files.ts';
import { fileLog } from '../base/log.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { StageContext } from './context.ts';
import { logEvent } from '../watch/events.ts';
import type { OnEvent } from '../base/events.ts';
import { dropEarlier, putBack } from '../folder/earlier.ts';
import { finishedReport, missingFiles } from '../folder/finished.ts';
import { follow } from './follow.ts';
import type { Stages } from './follow.ts';
import { prepareFolder, refuseForeignFolder, removeUnbegun } from '../folder/folder.ts';
import { lockRun } from '../folder/lock.ts';
import { labelledCount } from '../data/labelled.ts';
import { TEACHER } from '../report/artifact.ts';
import type { Findings } from './report.ts';
import { checkOptions } from './options.ts';
import { progressOf } from '../train/progress.ts';
import type { RunOptions, RunResult } from './options.ts';
import type { RunStores } from '../folder/stores.ts';
import { collectAnswers } from './stages/answer.ts';
import type { Answers } from './stages/answer.ts';
import { searchBudget } from './search/search.ts';
import { checkModels } from './stages/check.ts';
import { exportModel } from '../ship/export.ts';
import type { TrainedModel } from '../ship/export.ts';
import { examplesOf } from './stages/examples.ts';
import { timeModels } from './stages/latency.ts';
import { measure, measureTeacher } from './stages/measure.ts';
import type { Measured } from './stages/measure.ts';
import { pruneStudents, sizeOnly } from './stages/prune.ts';
import { pruningSensitivity } from './stages/sensitivity.ts';
import { shipModel } from './stages/ship.ts';
import { checkLoss, trainStudent } from './stages/student.ts';
import { repeatKey } from './repeat-key.ts';
import { runTogether } from './together.ts';
import { teach } from './stages/teach.ts';
import type { Teaching } from './stages/teach.ts';
import { labelNotes, withScores } from './stages/scores.ts';

/** Follow a recipe in the folder of its run, alone there. Killed anywhere and called again, it ends with the same bits. */
export async function runRecipe(given: LoadedRecipe, options: RunOptions = {}): Promise<RunResult> {
  checkOptions(options);
  const { together } = options;
  return together === undefined ? runAlone(given, options) : runTogether(runAlone, given, { ...options, together });
}

function runAlone(given: LoadedRecipe, options: RunOptions): Promise<RunResult> {
  return runStages(given, path.join(options.out ?? 'checkpoints', given.recipe.name), options, stages);
}

/** Follow stages of a recipe in this folder, alone there. */
export async function runStages(
  given: LoadedRecipe,
  folder: string,
  asked: RunOptions,
  what: Stages,
): Promise<RunResult> {
  const lost = new AbortController();
  const signals = [lost.signal, ...(asked.signal === undefined ? [] : [asked.signal])];
  const options = { ...asked, signal: AbortSignal.any(signals) };
  const warn = (message: string): void => options.onEvent?.({ type: 'warning', message });
  await refuseForeignFolder(folder);
  const made = await firstMissing(folder);
  const onLost = (message: string): void => {
    warn(message);
    lost.abort();
  };
  const unlock = await lockRun(folder, { onWait: warn, onLost }).catch(async (error: unknown) => {
    if (made !== undefined) await removeUnbegun(folder, made);
    throw error;
  });
  try {
    const prepared = await prepareFolder(folder, given, options.existing ?? 'ask', options.place);
    const { loaded, resumed, moves, moved, left } = prepared;
    if (left !== undefined) warn(left);
    const before = resumed ? await finishedReport(folder) : undefined;
    if (before !== undefined) {
      const gone = await missingFiles(folder, before);
      if (gone !== undefined) warn(gone);
      return { folder, report: before };
    }
    const log = await fileLog(path.join(folder, 'log.jsonl'));
    const { task = 'classification' } = loaded.recipe.dataset;
    const onEvent: OnEvent = (event) => {
      const isOfTask = 'stage' in event || event.type === 'run';
      const told = isOfTask && task !== 'classification' ? { ...event, task } : event;
      logEvent(log, told);
      options.onEvent?.(told);
    };
    onEvent({ type: 'run', name: loaded.recipe.name, folder, resumed });
    if (moved !== undefined) onEvent({ type: 'warning', message: moved });
    const follower = { ...options, onEvent, onWork: () => dropEarlier(folder), notes: moves };
    const followed =
      loaded.recipe.target === undefined
        ? follow(loaded, folder, follower, what)
        : searchBudget(loaded, folder, follower, what);
    const report = await followed.finally(() => log.close());
    return { folder, report };
  } catch (error) {
    // Where it cannot be done now, the next start does it.
    if (!lost.signal.aborted && (await putBack(folder).catch(() => false))) {
      warn(`${folder}: holds the run that was there before, since the new one has not got beyond its checks`);
      throw error;
    }
    if (error instanceof InterruptedError)
      throw new InterruptedError(`${error.message}; go on with: limbeck resume ${inShell(folder)}`);
    if (made !== undefined) await removeUnbegun(folder, made);
    throw error;
  } finally {
    await unlock();
  }
}

/**
 *     recipe ─► data ─► 1 teach ─► 2 answer ─► 3 scratch ─► 4 distill ─► 5 prune ─► 6 export ─► 7 measure ─► 8 report
 *                          │           │            │            │           │           │            │
 *                          └───────────┴────────────┴─── saved in the run's folder ──────┴────────────┘
 */
async function stages(begin: StageContext, stores: RunStores): Promise<Partial<Findings> & Pick<StageContext, 'data'>> {
  const { recipe } = begin;

  // 0 to 2. What would fail late is found out now; the teacher and its answers.
  const prepared = await prepare(begin, stores);
  const { context, teaching, lessons, begun } = prepared;

  // 3 and 4. Students by themselves and with their teacher, those that shards have trained among them.
  const students: TrainedModel[] = [];
  for (let repeat = 0; recipe.student !== undefined && repeat < recipe.repeats; repeat++) {
    if (recipe.repeats > 1 && (await stores.repeats.take(repeat, await repeatKey(context))))
      context.onEvent({ type: 'message', message: `repeat ${repeat + 1} was trained by a shard` });
    students.push(...(await trainRepeat(prepared, repeat)));
  }

  // 5. Fewer channels or weights, a student of its own after each step.
  const sensitivity = await pruningSensitivity(context, students);
  const { pruned, notes } = await pruneStudents(context, students, lessons);

  // 6. Files that ship, each run beside its training graph before it is trusted.
  const files = [];
  if (teaching?.trained !== undefined) {
    files.push(await exportModel(context, { model: TEACHER, trained: teaching.trained }, stores.write));
  }
  for (const student of [...students, ...pruned]) files.push(await exportModel(context, student, stores.write));

  // 7. The last student in the other formats and in fewer bits.
  const last = files.filter(({ model }) => model.role !== 'teacher' && model.repeat === 0).at(-1);
  const shipped = last && (await shipModel(context, last, lessons, stores.write));
  files.push(...(shipped?.files ?? []));

  // 8. The test split, for the first and only time.
  const measured: Measured[] = [];
  const tell = progressOf(context, 'measure');
  for (const file of files) {
    measured.push(await measure(context, file));
    tell('file', measured.length, files.length);
  }
  const opened = teaching?.trained === undefined && teaching?.teacher !== undefined;
  if (opened) measured.unshift(await measureTeacher(context, teaching.teacher));

  // 9. Their latency, side by side. Of several processes the first times alone, and writes the report.
  if (context.together !== undefined && context.together.rank > 0) return { data: context.data };
  const timed = await timeModels(context, measured);
  const allNotes = [...begun, ...labelNotes(context), ...notes, ...(shipped?.notes ?? [])];
  return {
    data: context.data,
    measured,
    answers: lessons?.summary,
    examples: await examplesOf(context, measured),
    timed,
    pruningSensitivity: sensitivity,
    quantizationSensitivity: shipped?.sensitivity,
    notes: [...allNotes, ...sizeOnly(students, pruned, timed.rows)],
  };
}

/** What the students of every repeat start from. */
interface Begun {
  readonly context: StageContext;
  readonly teaching: Teaching | undefined;
  readonly lessons: Answers | undefined;
  /** Notes of the checks. */
  readonly begun: readonly string[];
}

export async function prepare(begin: StageContext, { softTargets }: RunStores): Promise<Begun> {
  // 0. What would fail late is found out now.
  const begun = await checkModels(begin);

  // 1. A teacher, opened or trained, and known to be worth listening to. Where there are no labels its answers stand in for them.
  const teaching = await teach(begin);
  const context = await withScores(begin, teaching);

  // 2. Its answers to the training samples, for every repeat the same.
  const lessons = teaching && begin.recipe.student && (await collectAnswers(context, teaching, softTargets));
  if (lessons !== undefined) await checkLoss(context, lessons);
  return { context, teaching, lessons, begun };
}

export async function trainRepeat(
  { context, lessons }: Pick<Begun, 'context' | 'lessons'>,
  repeat: number,
): Promise<TrainedModel[]> {
  const students: TrainedModel[] = [];
  const hasTwin = context.recipe.baseline && labelledCount(context.data.train) > 0;
  // 3. The student by itself: what the distilled one has to beat.
  if (lessons === undefined || hasTwin)
    students.push({ model: { role: 'scratch', repeat }, trained: await trainStudent(context, repeat) });
  // 4. The student and its teacher.
  if (lessons !== undefined)
    students.push({ model: { role: 'distilled', repeat }, trained: await trainStudent(context, repeat, lessons) });
  return students;
}
