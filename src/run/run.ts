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
import { prepareFolder, refuseForeignFolder, removeUnbegun } from '../folder/folder.ts';
import { lockRun } from '../folder/lock.ts';
import { labelledCount } from '../data/labelled.ts';
import { TEACHER } from '../report/artifact.ts';
import type { Findings } from './report.ts';
import { checkOptions } from './options.ts';
import { progressOf } from '../train/progress.ts';
import type { RunOptions, RunResult } from './options.ts';
import type { RunStores } from '../folder/stores.ts';
import { assistants } from './stages/assist.ts';
import { collectAnswers } from './stages/answer.ts';
import { searchBudget } from './search/search.ts';
import { checkModels } from './stages/check.ts';
import { exportModel } from '../ship/export.ts';
import type { TrainedModel } from '../ship/export.ts';
import { examplesOf } from './stages/examples.ts';
import { earlierGenerations, generationNotes } from './stages/generations.ts';
import { timeModels } from './stages/latency.ts';
import { measure, measureTeacher } from './stages/measure.ts';
import type { Measured } from './stages/measure.ts';
import { pruneStudents, sizeOnly } from './stages/prune.ts';
import { pruningSensitivity } from './stages/sensitivity.ts';
import { shipModel } from './stages/ship.ts';
import { raceLosses } from './stages/race.ts';
import { checkLoss, trainStudent } from './stages/student.ts';
import { runTogether } from './together.ts';
import { teach } from './stages/teach.ts';
import { labelNotes, withScores } from './stages/scores.ts';

/** Follow a recipe in the folder of its run, alone there. Killed anywhere and called again, it ends with the same bits. */
export async function runRecipe(given: LoadedRecipe, options: RunOptions = {}): Promise<RunResult> {
  checkOptions(options);
  const { together } = options;
  return together === undefined ? runAlone(given, options) : runTogether(runAlone, given, { ...options, together });
}

async function runAlone(given: LoadedRecipe, asked: RunOptions): Promise<RunResult> {
  const lost = new AbortController();
  const signals = [lost.signal, ...(asked.signal === undefined ? [] : [asked.signal])];
  const options = { ...asked, signal: AbortSignal.any(signals) };
  const warn = (message: string): void => options.onEvent?.({ type: 'warning', message });
  const folder = path.join(options.out ?? 'checkpoints', given.recipe.name);
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
        ? follow(loaded, folder, follower, stages)
        : searchBudget(loaded, folder, follower, stages);
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

  // 0. What would fail late is found out now.
  const begun = await checkModels(begin);

  // 1. A teacher, opened or trained, and known to be worth listening to. Where there are no labels its answers stand in for them.
  const teaching = await teach(begin);
  const scored = await withScores(begin, teaching);
  const hasTwin = recipe.baseline && labelledCount(scored.data.train) > 0;

  // 2. Its answers to the training samples, or those of the last assistant, for every repeat the same; and the loss to learn with.
  const chained = teaching && (await assistants(scored, teaching, stores.softTargets));
  const lessons = chained && recipe.student && (await collectAnswers(scored, chained.teaching, stores.softTargets));
  const { context, race, notes: raced } = await raceLosses(scored, lessons);
  if (lessons !== undefined) await checkLoss(context, lessons);

  const students: TrainedModel[] = [];
  for (let repeat = 0; recipe.student !== undefined && repeat < recipe.repeats; repeat++) {
    // 3. The student by itself: what the distilled one has to beat.
    if (lessons === undefined || hasTwin) {
      students.push({ model: { role: 'scratch', repeat }, trained: await trainStudent(context, repeat) });
    }
    // 4. The student and its teacher.
    if (lessons !== undefined) {
      const taught = await earlierGenerations(context, repeat, lessons, stores.softTargets);
      students.push({ model: { role: 'distilled', repeat }, trained: await trainStudent(context, repeat, taught) });
    }
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

  // 9. Their latency, side by side.
  const timed = await timeModels(context, measured);
  const ways = [...(chained?.notes ?? []), ...raced, ...(lessons === undefined ? [] : generationNotes(context))];
  const allNotes = [...begun, ...ways, ...labelNotes(context), ...notes, ...(shipped?.notes ?? [])];
  return {
    data: context.data,
    measured,
    answers: lessons?.summary,
    race,
    examples: await examplesOf(context, measured),
    timed,
    pruningSensitivity: sensitivity,
    quantizationSensitivity: shipped?.sensitivity,
    notes: [...allNotes, ...sizeOnly(students, pruned, timed.rows)],
  };
}
