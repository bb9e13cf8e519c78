import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { WHOLE } from '../../base/shard.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { TargetRecipe } from '../../recipe/schema/target.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import type { OnEvent, StageEvent } from '../../base/events.ts';
import { finishedReport, writtenReport } from '../../folder/report/finished.ts';
import { removeUnbegun } from '../../folder/folder.ts';
import { removeOutdated, unwritten, writeReport } from '../../folder/report/written.ts';
import type { FollowOptions } from '../begin.ts';
import { requireInputs } from '../inputs.ts';
import { toldOnce } from '../like-runs.ts';
import type { RunOptions } from '../options.ts';
import { stopOf } from '../../folder/report/stopped.ts';
import { JobFolder } from '../../folder/jobs.ts';
import { pickOf } from '../../folder/search/points.ts';
import { beginTrial, findTrial, takeTrial } from '../../folder/search/trial-folders.ts';
import { stoppedSearch } from '../../folder/search/stopped.ts';
import { summary, timedAgain } from '../../folder/search/summary.ts';
import { halve } from './halve.ts';
import type { NewTrial } from './halve.ts';
import { timed } from './timing.ts';
import { judgeOf, latencyOf, pointsOf, secondsOf } from '../../folder/search/trials.ts';
import type { SearchTrial } from '../../folder/search/trials.ts';

/** Runs a recipe in a folder, and returns its report. */
type Follow = (loaded: LoadedRecipe, folder: string, options: FollowOptions) => Promise<Report>;

type SearchOptions = RunOptions & Pick<FollowOptions, 'onEvent' | 'onWork' | 'likeRuns'>;

/**
 * Searches for the best student within the budget of `target`, by successive halving (Jamieson and Talwalkar 2016, "Non-stochastic best arm
 * identification"): every candidate is distilled, pruned and quantized with few epochs, the better half again with twice as many, and so on.
 * Candidates of one width share the training before pruning. Each candidate of each round is a run of its own in `search/` of the run's folder, so a
 * stopped search continues. The test split is used once, for the pick.
 */
export async function searchBudget(
  loaded: LoadedRecipe,
  folder: string,
  options: SearchOptions,
  follow: Follow,
): Promise<Report> {
  const trials: SearchTrial[] = [];
  let current: StageEvent = { type: 'stage', stage: 'start' };
  const onEvent: OnEvent = (event) => {
    if (event.type === 'stage') current = event;
    options.onEvent(event);
  };
  try {
    await removeOutdated(folder);
    return await completeSearch(loaded, folder, { ...options, onEvent }, follow, trials);
  } catch (error) {
    const { stage, trial } = current;
    const stopped = stopOf(error, trial === undefined ? stage : `${trial}/${stage}`);
    const underWay = trial === undefined ? undefined : await writtenReport(path.join(folder, 'search', trial));
    if (trials.length === 0 && underWay === undefined) {
      const all = path.join(folder, 'search');
      if (trial !== undefined) await removeUnbegun(path.join(all, trial), all);
      throw error;
    }
    const write = async (): Promise<void> => {
      const isDone = trials.some(({ run }) => run === trial);
      const begun = isDone || underWay === undefined ? undefined : { run: trial!, report: underWay };
      await writeReport(folder, stoppedSearch(loaded, trials, begun, stopped));
    };
    await write().catch((second: unknown) => options.onEvent({ type: 'warning', message: unwritten(second) }));
    throw error;
  }
}

/** `trials` receives each trial when it has finished. */
async function completeSearch(
  loaded: LoadedRecipe,
  folder: string,
  options: SearchOptions,
  follow: Follow,
  trials: SearchTrial[],
): Promise<Report> {
  const target = loaded.recipe.target!;
  const told = toldOnce(options.onEvent);
  await halve(loaded, {
    shard: WHOLE,
    run: async (trial, twin, likeRuns) => {
      const asked = { ...options, onEvent: told.onEvent, likeRuns: told.unlessTold(likeRuns) };
      const report = await runTrial(trial, twin, folder, asked, follow);
      const done = requireTimed({ ...trial, report }, target);
      trials.push(done);
      return done;
    },
    find: () => Promise.resolve(undefined),
    onEvent: options.onEvent,
  });
  const { points, seconds, notes } = await timed(trials, folder, target, options);
  const judge = judgeOf(loaded.recipe, trials);
  const pick = pickOf(points, judge);
  if (pick === undefined) throw untimed(target, notes);
  const search = summary(points, pick, target, judge);

  const trial = trials.find(({ run }) => run === pick.run)!;
  const final = await follow(trial.loaded, path.join(folder, 'search', trial.run), {
    ...ofTrial(options, trial.run),
    shared: folder,
  });
  const wallSeconds = secondsOf(trials) - trial.report.wallSeconds + final.wallSeconds + seconds;
  // The report keeps the models before the pick and the pick; models that were derived from the pick are left out.
  const at = final.models.findIndex(({ id }) => id === pick.model);
  const models = final.models.slice(0, at + 1);
  const parity = final.parity.filter(({ file }) => models.some((row) => row.file === file));
  const found = timedAgain(search, latencyOf(models.at(-1)!, target));
  options.onEvent({ type: 'message', message: found.sentence });
  const more = {
    recipe: loaded.written,
    wallSeconds,
    search: found,
    notes: [...final.notes, ...notes, ...timedElsewhere(trials)],
  };
  const report = { ...final, models, parity, ...more };
  await copyModels(models, path.join(folder, 'search', trial.run), folder);
  await writeReport(folder, report);
  return report;
}

/** Note for trials that were timed on machines of several kinds: their latencies decided which candidates went on. */
function timedElsewhere(trials: readonly SearchTrial[]): string[] {
  const cpus = [...new Set(trials.map(({ report }) => report.machine.cpu))];
  return cpus.length === 1
    ? []
    : [
        `the shards of the search timed its candidates on several kinds of machines (${cpus.join('; ')}), and these times chose the candidates of the next rounds; the last timing, which chose the student, is from one machine`,
      ];
}

/**
 * Returns the trial. `UserError` if none of its files was timed because a runtime is missing or cores are too few: all other trials would fail alike.
 */
export function requireTimed(trial: SearchTrial, target: TargetRecipe): SearchTrial {
  if (pointsOf(trial, target).length > 0) return trial;
  throw untimed(
    target,
    trial.report.notes.filter((note) => note.startsWith('latency of ')),
  );
}

function untimed({ runtime, threads }: TargetRecipe, reasons: readonly string[]): UserError {
  return new UserError(
    `target: no file could be timed in ${runtime} on ${threads} thread${threads === 1 ? '' : 's'}${reasons.map((reason) => `; ${reason}`).join('')}`,
    'Choose another target.runtime, or fewer target.threads.',
  );
}

/** Runs a trial in its own folder, unless this process or a shard has finished it. */
async function runTrial(
  trial: NewTrial,
  twin: string | undefined,
  folder: string,
  options: SearchOptions,
  follow: Follow,
): Promise<Report> {
  const { loaded, run } = trial;
  const trialFolder = path.join(folder, 'search', run);
  const before = await finishedReport(trialFolder);
  if (before !== undefined) return before;
  const jobs = new JobFolder(folder, 'search');
  const shared = await findTrial(jobs, trial);
  if (shared !== undefined) {
    // The recipe's files may have changed since the trial began.
    const inputs = { shared: jobs.folder, isShard: true, onEvent: options.onEvent };
    await requireInputs(jobs.folder, loaded.recipe, inputs);
    await takeTrial(jobs, run, folder);
    return shared;
  }
  await beginTrial(trialFolder, trial, twin);
  return follow(loaded, trialFolder, { ...ofTrial(options, run), shared: folder, withoutTest: true });
}

/** Adds the trial's name to its events: stages have the same names in all trials. */
function ofTrial(options: SearchOptions, trial: string): SearchOptions {
  return { ...options, onEvent: (event) => options.onEvent('stage' in event ? { ...event, trial } : event) };
}

async function copyModels(models: readonly ModelRow[], from: string, to: string): Promise<void> {
  for (const { file } of models) {
    if (file === null) continue;
    await mkdir(path.dirname(path.join(to, file)), { recursive: true });
    await copyFile(path.join(from, file), path.join(to, file));
  }
}
