import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError, UserError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { partOf } from '../../base/shard.ts';
import type { Shard } from '../../base/shard.ts';
import { writtenReport } from '../../folder/report/finished.ts';
import { JobFolder } from '../../folder/jobs.ts';
import { beginTrial } from '../../folder/search/trial-folders.ts';
import { giveAnswers, giveTeachers } from '../../folder/states/from-other-runs.ts';
import { canonicalJson } from '../../recipe/diff.ts';
import { asNow } from '../../recipe/gone.ts';
import type { TrialSettings } from '../../recipe/grid.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Report } from '../../report/types.ts';
import { toldOnce } from '../like-runs.ts';
import { runAlone } from '../run.ts';
import { inputsOfSweep, requireFilesBefore } from '../inputs.ts';
import { checkOptions } from '../options.ts';
import type { RunOptions } from '../options.ts';
import { runFolder } from './rounds.ts';

export type SweepOptions = Pick<RunOptions, 'out' | 'saveEvery' | 'onEvent' | 'signal'>;

/** A trial with its report, complete or partial; without one if the trial has not begun. */
interface TrialSoFar extends TrialSettings {
  readonly folder: string;
  readonly report: Report | undefined;
}

export interface Swept {
  readonly folder: string;
  /** Trials of all shards, with the reports that exist so far. */
  readonly trials: readonly TrialSoFar[];
  /** Trials of this shard that failed, with the reason. */
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Runs a shard's part of the trials of a sweep, each as a run of its own. Finished runs are left alone, stopped runs continue; after a trial that
 * fails, the next begins. A trial fails if its input files have changed since other trials read them.
 */
export async function sweepShard(
  base: LoadedRecipe,
  trials: readonly TrialSettings[],
  load: (trial: TrialSettings) => Promise<LoadedRecipe>,
  shard: Shard,
  options: SweepOptions = {},
): Promise<Swept> {
  const { onEvent } = options;
  checkOptions(options);
  // All trials are validated before the first one runs.
  const all = [];
  for (const trial of trials) all.push({ ...trial, loaded: await load(trial) });
  const jobs = new JobFolder(runFolder(base, options), 'sweep');
  for (const { loaded } of all) await requireFilesBefore(jobs.folder, loaded.recipe);
  await writeDown(jobs, base, trials);
  const failed: { name: string; reason: string }[] = [];
  const ownTrials = partOf(all, shard);
  const told = toldOnce(onEvent ?? (() => undefined));
  for (const [i, { name, set, loaded }] of ownTrials.entries()) {
    onEvent?.({ type: 'message', message: `trial ${name} (${i + 1} of ${ownTrials.length}): ${set.join(' ')}` });
    try {
      await jobs.giveAnswers(name);
      await giveFromAlike(jobs, loaded, all);
      const left = ownTrials.slice(i).map((trial) => taughtBy(trial.loaded.recipe));
      const likeRuns = told.unlessTold({ runs: left.length, teachers: new Set(left).size });
      const inputs = inputsOfSweep(jobs.folder, loaded);
      const trialOptions = { ...options, onEvent: told.onEvent, inputs, isShard: true, likeRuns };
      await runAlone(loaded, jobs.place(loaded.recipe.name), trialOptions);
    } catch (error) {
      if (error instanceof InterruptedError || !(error instanceof UserError)) throw error;
      failed.push({ name, reason: error.message });
      onEvent?.({ type: 'warning', message: `trial ${name}: ${error.message}` });
    }
  }
  const soFar = [];
  for (const trial of trials) {
    const folder = jobs.place(trial.name);
    soFar.push({ ...trial, folder, report: await writtenReport(folder) });
  }
  return { folder: jobs.folder, trials: soFar, failed };
}

/**
 * Gives a trial the trained teacher and the stored answers of a finished trial whose teacher and data are the same. States and answers name what they
 * depend on, so a trial uses those alone that it would compute with the same bytes.
 */
async function giveFromAlike(
  jobs: JobFolder,
  loaded: LoadedRecipe,
  all: readonly { readonly name: string; readonly loaded: LoadedRecipe }[],
): Promise<void> {
  const { teacher, name } = loaded.recipe;
  if (teacher === undefined) return;
  const alike = all.filter((other) => other.name !== name && taughtBy(other.loaded.recipe) === taughtBy(loaded.recipe));
  for (const other of alike) {
    const [from, to] = [jobs.place(other.name), jobs.place(name)];
    if ((await writtenReport(from))?.status !== 'complete') continue;
    if (!(await exists(path.join(to, 'recipe.json')))) await beginTrial(to, { loaded }, undefined);
    await giveTeachers(from, to);
    await giveAnswers(from, to);
    return;
  }
}

/** The teacher, and what its training and answers depend on. */
function taughtBy({ teacher, dataset, seed, precision }: LoadedRecipe['recipe']): string {
  return canonicalJson([teacher, dataset, seed, precision]);
}

/** Writes the recipe and the changes of each trial; every shard writes the same files. `UserError` if the folder holds another sweep. */
async function writeDown(jobs: JobFolder, { written }: LoadedRecipe, trials: readonly TrialSettings[]): Promise<void> {
  const fileOf = ({ name }: TrialSettings): string => path.join('trials', `${name}.json`);
  const files = new Map<string, object>([
    ['sweep.json', { recipe: written }],
    ...trials.map((trial) => [fileOf(trial), { set: trial.set }] as const),
  ]);
  for (const [name, content] of files) {
    const before = await jobs.read(name);
    if (before === undefined) await jobs.write(name, content);
    else if (contentOf(before) !== contentOf(content)) throw another(jobs, `its ${name} says something else`);
  }
  const others = (await readdir(jobs.place('trials'))).filter(
    (name) => name.endsWith('.json') && !files.has(path.join('trials', name)),
  );
  if (others.length > 0) throw another(jobs, `it has other trials: ${others.slice(0, 3).join(', ')}`);
}

/** Content of a file of a sweep, which may have begun when recipes had more keys. */
function contentOf(file: unknown): string {
  const { recipe } = file as { readonly recipe?: unknown };
  return canonicalJson(recipe === undefined ? file : asNow(recipe));
}

function another({ folder }: JobFolder, fact: string): UserError {
  return new UserError(
    `${folder}: another sweep is there: ${fact}`,
    'Give this sweep another name with --set name=..., or remove the folder.',
  );
}
