import path from 'node:path';
import { inShell, InterruptedError } from '../base/errors.ts';
import type { OnEvent } from '../base/events.ts';
import { firstMissing } from '../base/files.ts';
import { fileLog } from '../base/log.ts';
import { StageClock } from '../base/stage-clock.ts';
import { TOKENIZER_FILE } from '../data/text/tokenizer-file.ts';
import { prepareFolder, refuseForeignFolder, removeUnbegun } from '../folder/folder.ts';
import { lockRun } from '../folder/lock.ts';
import { dropEarlier, putBack } from '../folder/replaced-run.ts';
import { finishedReport, missingFiles } from '../folder/report/finished.ts';
import { factsOf, stagesOf, stoppedReport } from '../folder/report/report-frame.ts';
import { curvesOf, modelsSoFar, stopOf } from '../folder/report/stopped.ts';
import { removeOutdated, unwritten, writeReport } from '../folder/report/written.ts';
import { openStores } from '../folder/states/stores.ts';
import type { RunStores } from '../folder/states/stores.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Report } from '../report/types.ts';
import { recipeTokenizer } from '../setup/data.ts';
import { logEvent } from '../watch/events.ts';
import { begin } from './begin.ts';
import type { FollowOptions } from './begin.ts';
import type { StageContext } from './context.ts';
import { requireInputs } from './inputs.ts';
import { checkOptions } from './options.ts';
import type { RunOptions, RunResult } from './options.ts';
import { makeReport } from './report.ts';
import type { Stages } from './report.ts';
import { stages } from './stages.ts';
import { DEFAULT_TASK } from '../recipe/task.ts';
import { scoreDataOf } from '../tasks/registry.ts';

// What is exported besides `runRecipe` is marked internal: the package's type declarations must not load TensorFlow.js.

/** Runs a recipe in the folder of its run, under its lock. Killed at any time and called again, it ends with the same bits. */
export async function runRecipe(given: LoadedRecipe, options: RunOptions = {}): Promise<RunResult> {
  checkOptions(options);
  const run = (loaded: LoadedRecipe, own: RunOptions): Promise<RunResult> =>
    runAlone(loaded, path.join(own.out ?? 'checkpoints', loaded.recipe.name), own);
  return options.processes?.run(run, given, options) ?? run(given, options);
}

/**
 * Runs the recipe in `folder`, holding its lock, from the beginning or from the saved states. `isShard`: the folder belongs to a shard; `limbeck
 * resume` must not take it for a complete run.
 *
 * @internal
 */
export async function runAlone(
  given: LoadedRecipe,
  folder: string,
  asked: RunOptions & Pick<FollowOptions, 'shared' | 'withoutTest' | 'isShard' | 'likeRuns' | 'inputs'>,
  work?: Stages,
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
    const { processes, existing = 'ask', place } = options;
    const prepared = await prepareFolder(folder, given, existing, place, processes?.shards);
    const { loaded, resumed, moves, moved, left } = prepared;
    if (left !== undefined) warn(left);
    const before = resumed ? await finishedReport(folder) : undefined;
    if (before !== undefined) {
      await requireInputs(folder, loaded.recipe, options);
      const gone = await missingFiles(folder, before);
      if (gone !== undefined) warn(gone);
      return { folder, report: before };
    }
    processes?.requireShards(loaded.recipe, folder);
    const log = await fileLog(path.join(folder, 'log.jsonl'));
    const { task = DEFAULT_TASK, score: metric } = loaded.recipe.dataset;
    const scoredBy = { ...(task !== DEFAULT_TASK && { task }), ...(metric && { metric }) };
    const onEvent: OnEvent = (event) => {
      const isOfTask = 'stage' in event || event.type === 'run';
      const withTask = isOfTask ? { ...event, ...scoredBy } : event;
      logEvent(log, withTask);
      options.onEvent?.(withTask);
    };
    const score = scoreDataOf(task, metric);
    onEvent({ type: 'run', name: loaded.recipe.name, folder, resumed, ...(score.isShareRight !== true && { score }) });
    if (moved !== undefined) onEvent({ type: 'warning', message: moved });
    const follower = { ...options, onEvent, onWork: () => dropEarlier(folder), notes: moves };
    const followed =
      loaded.recipe.target === undefined
        ? follow(loaded, folder, follower, work)
        : (await import('./search/search.ts')).searchBudget(loaded, folder, follower, follow);
    const report = await followed.finally(() => log.close());
    return { folder, report };
  } catch (error) {
    // If this removal fails, the next start repeats it.
    if (!lost.signal.aborted && (await putBack(folder).catch(() => false))) {
      warn(`${folder}: holds the previous run again, because the new one did not pass its checks`);
      throw error;
    }
    if (error instanceof InterruptedError)
      throw new InterruptedError(
        `${error.message}; go on with${asked.isShard === true ? ' the same command' : `: limbeck resume ${inShell(folder)}`}`,
      );
    if (made !== undefined) await removeUnbegun(folder, made);
    throw error;
  } finally {
    await unlock();
  }
}

/** Runs the stages and writes the report, also if a stage fails: then it names the stage at which the run stopped. */
async function follow(
  loaded: LoadedRecipe,
  folder: string,
  options: FollowOptions,
  work: Stages = stages,
): Promise<Report> {
  const { recipe } = loaded;
  let { written } = loaded;
  let current = 'start';
  const clock = new StageClock(current);
  const onEvent: OnEvent = (event) => {
    if (event.type === 'stage') clock.enter((current = event.stage));
    options.onEvent(event);
  };
  let stores: RunStores | undefined;
  let facts = factsOf({ recipe });
  const ledger = () => {
    stores?.ledger.count(clock.take());
    const { rows = [], seconds: wallSeconds = 0 } = stores?.ledger ?? {};
    return { rows, found: { written, wallSeconds, stages: stores === undefined ? [] : stagesOf(stores.ledger) } };
  };
  try {
    await removeOutdated(folder);
    stores = await openStores(folder, onEvent, options.shared);
    const context = await begin(loaded, folder, stores, { ...options, onEvent, clock });
    ({ written } = context);
    facts = factsOf(context);
    await keepTokenizer(context, stores);
    const { data = context.data, ...findings } = await work(context, stores);
    onEvent({ type: 'stage', stage: 'report' });
    const { rows, found } = ledger();
    const parts = rows.flatMap(({ notes: { microBatch } }) => (typeof microBatch === 'string' ? [microBatch] : []));
    const notes = [...(options.notes ?? []), ...parts, ...(findings.notes ?? [])];
    const training = await curvesOf(recipe, rows);
    const report = makeReport({ ...context, data }, { measured: [], ...found, training, ...findings, notes });
    // Before the report is written: a run that has its report is not resumed, so the ledger would stay behind.
    await stores.ledger.save();
    await writeReport(folder, report);
    return report;
  } catch (error) {
    const { rows, found } = ledger();
    // The run stopped before its first result (unreadable data, no engine): the error says everything, and no report is written.
    if (rows.length === 0) throw error;
    const write = async (): Promise<void> => {
      const under = stores && { stage: current, states: stores.states(current) };
      const training = await curvesOf(recipe, rows, under);
      const models = modelsSoFar(recipe, rows);
      await writeReport(
        folder,
        stoppedReport(recipe, facts, { ...found, training, models, stopped: stopOf(error, current) }),
      );
      stores?.ledger.count(clock.take());
      await stores?.ledger.save();
    };
    // The error that stopped the run matters more to the user than an error in its report.
    await write().catch((second: unknown) => options.onEvent({ type: 'warning', message: unwritten(second) }));
    throw error;
  }
}

/** Writes the tokenizer of a text data set beside the exported models, which need it. */
async function keepTokenizer(
  { recipe, data }: Pick<StageContext, 'recipe' | 'data'>,
  { write }: RunStores,
): Promise<void> {
  const bytes = await recipeTokenizer(recipe, data);
  if (bytes === undefined) return;
  await write(`exports/${TOKENIZER_FILE}`, bytes);
}
