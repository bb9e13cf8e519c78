import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { TargetRecipe } from '../../recipe/schema/target.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import type { OnEvent, StageEvent } from '../../base/events.ts';
import { finishedReport, writtenReport } from '../../folder/finished.ts';
import { removeUnbegun } from '../../folder/folder.ts';
import { follow } from '../follow.ts';
import { removeOutdated, unwritten, writeReport } from '../../folder/written.ts';
import type { FollowOptions, Stages } from '../follow.ts';
import { requireInputs } from '../inputs.ts';
import type { RunOptions } from '../options.ts';
import { stopOf } from '../../folder/stopped.ts';
import { pickOf, survivors } from '../../folder/search/points.ts';
import { secondsOf, takeTraining, twinOf } from '../../folder/search/sharing.ts';
import { candidatesOf, recipeOf, runOf, shareOf } from '../../folder/search/space.ts';
import { stoppedSearch } from '../../folder/search/stopped.ts';
import { roughly, summary, timedAgain } from '../../folder/search/summary.ts';
import { timed } from './timing.ts';
import { judgeOf, latencyOf, pointsOf } from '../../folder/search/trials.ts';
import type { Trial } from '../../folder/search/trials.ts';
import { TrialsFolder } from '../../folder/search/trials-folder.ts';

type SearchOptions = RunOptions & Pick<FollowOptions, 'onEvent' | 'onWork'>;

/**
 * Find the student that is best within the budget of `target`, by successive halving (Jamieson and Talwalkar 2016,
 * "Non-stochastic best arm identification"): every candidate is distilled, pruned and quantized with few epochs, the better
 * half again with twice as many, and so on; candidates of one width share the training before they are pruned. Each candidate of each round is a run of its own in `search/` of the run's
 * folder, so a search that was stopped goes on where it was. The test split is looked at once, for the pick.
 */
export async function searchBudget(
  loaded: LoadedRecipe,
  folder: string,
  options: SearchOptions,
  stages: Stages,
): Promise<Report> {
  const trials: Trial[] = [];
  let current: StageEvent = { type: 'stage', stage: 'start' };
  const onEvent: OnEvent = (event) => {
    if (event.type === 'stage') current = event;
    options.onEvent(event);
  };
  try {
    await removeOutdated(folder);
    return await completeSearch(loaded, folder, { ...options, onEvent }, stages, trials);
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

/** `trials` takes each one when it has come to its end. */
async function completeSearch(
  loaded: LoadedRecipe,
  folder: string,
  options: SearchOptions,
  stages: Stages,
  trials: Trial[],
): Promise<Report> {
  const target = loaded.recipe.target!;
  await halve(loaded, folder, options, stages, trials);
  const { points, seconds, notes } = await timed(trials, folder, target, options);
  const judge = judgeOf(loaded.recipe, trials);
  const pick = pickOf(points, judge);
  if (pick === undefined) throw untimed(target, notes);
  const search = summary(points, pick, target, judge);

  const trial = trials.find(({ run }) => run === pick.run)!;
  const final = await follow(
    trial.loaded,
    path.join(folder, 'search', trial.run),
    { ...ofTrial(options, trial.run), shared: folder },
    stages,
  );
  const wallSeconds = secondsOf(trials) - trial.report.wallSeconds + final.wallSeconds + seconds;
  // What the pick was made from stands before it; what was made of it further on was not picked.
  const at = final.models.findIndex(({ id }) => id === pick.model);
  const models = final.models.slice(0, at + 1);
  const parity = final.parity.filter(({ file }) => models.some((row) => row.file === file));
  const found = timedAgain(search, latencyOf(models.at(-1)!, target));
  options.onEvent({ type: 'message', message: found.sentence });
  const more = {
    ...{ recipe: loaded.written, wallSeconds, search: found },
    notes: [...final.notes, ...notes, ...timedElsewhere(trials)],
  };
  const report = { ...final, models, parity, ...more };
  await copyModels(models, path.join(folder, 'search', trial.run), folder);
  await writeReport(folder, report);
  return report;
}

async function halve(
  loaded: LoadedRecipe,
  folder: string,
  options: SearchOptions,
  stages: Stages,
  all: Trial[],
): Promise<void> {
  const target = loaded.recipe.target!;
  let candidates = candidatesOf(target);
  // A student that cannot be built is found before anything is trained.
  for (const candidate of candidates) recipeOf(loaded, candidate, 1, target);
  for (let round = 0; round < target.rounds; round++) {
    const share = shareOf(round, target.rounds);
    const trials: Trial[] = [];
    for (const [i, candidate] of candidates.entries()) {
      const run = runOf(candidate, round);
      const what = `width ${candidate.width}, ${roughly(candidate.amount)} of the MACs pruned`;
      const place = `${i + 1} of ${candidates.length} in round ${round + 1} of ${target.rounds}`;
      options.onEvent({ type: 'message', message: `search: ${what} (${place})` });
      const own = recipeOf(loaded, candidate, share, target);
      const twin = twinOf({ candidate, loaded: own }, trials);
      const report = await runTrial({ loaded: own, run, twin: twin?.run }, folder, options, stages);
      const trial = { candidate, loaded: own, run, report };
      refuseUntimed(trial, target);
      trials.push(trial);
      all.push(trial);
    }
    const groups = new Map(trials.map((trial) => [trial.candidate, pointsOf(trial, target)]));
    candidates = survivors(groups, judgeOf(loaded.recipe, trials));
  }
}

/** A note where trials were timed on machines of several kinds, each in its own run: what went on to the next round was chosen by that. */
function timedElsewhere(trials: readonly Trial[]): string[] {
  const cpus = [...new Set(trials.map(({ report }) => report.machine.cpu))];
  return cpus.length === 1
    ? []
    : [
        `the shards of the search timed its candidates on several kinds of machines (${cpus.join('; ')}), and chose by that which went on to the next round; the last timing, which chose the student, is of one machine`,
      ];
}

/** A runtime that is not installed, or threads that there are no cores for: the other trials would come to the same. */
export function refuseUntimed(trial: Trial, target: TargetRecipe): void {
  if (pointsOf(trial, target).length > 0) return;
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

/** One candidate in a folder of its own; one that is done is not done again. */
async function runTrial(
  { loaded, run, twin }: { loaded: LoadedRecipe; run: string; twin: string | undefined },
  folder: string,
  options: SearchOptions,
  stages: Stages,
): Promise<Report> {
  const own = path.join(folder, 'search', run);
  const before = (await finishedReport(own)) ?? (await takeTrial(loaded, run, folder, options));
  if (before !== undefined) return before;
  await mkdir(own, { recursive: true });
  const stored = { base: loaded.base, recipe: loaded.written };
  await writeFileAtomic(path.join(own, 'recipe.json'), `${JSON.stringify(stored, null, 2)}\n`);
  if (twin !== undefined) await takeTraining(path.join(folder, 'search', twin), own);
  return follow(loaded, own, { ...ofTrial(options, run), shared: folder, withoutTest: true }, stages);
}

/** A trial that a shard has done; undefined where there is none. `UserError` where it read files that hold something else by now. */
async function takeTrial(
  loaded: LoadedRecipe,
  run: string,
  folder: string,
  { onEvent }: SearchOptions,
): Promise<Report | undefined> {
  const trials = new TrialsFolder(folder);
  if ((await trials.find(run, loaded)) === undefined) return undefined;
  await requireInputs(trials.folder, loaded.recipe, { shared: trials.folder, isShard: true, onEvent });
  return trials.take(run, loaded);
}

/** Candidates have stages of the same names: whoever follows the events is told which is whose. */
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
