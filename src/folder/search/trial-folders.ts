import { cp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { stageOf } from '../../report/artifact.ts';
import type { Report } from '../../report/types.ts';
import { finishedReport } from '../report/finished.ts';
import { storedRecipe } from '../folder.ts';
import { giveAnswers, giveStates, giveTeachers } from '../states/from-other-runs.ts';
import type { JobFolder } from '../jobs.ts';
import { differences } from '../compute-place.ts';
import type { SearchTrial } from './trials.ts';

/** Training that trials of equal width and number of epochs share; they differ in the later stages. */
const TRAINING = stageOf({ role: 'distilled', repeat: 0 });

/**
 * Begins a trial in `folder`, beside the run folder of its twin, from which it takes the finished states of the common training. A trial that has
 * begun keeps its own states.
 */
export async function beginTrial(
  folder: string,
  { loaded: { base, written } }: Pick<SearchTrial, 'loaded'>,
  twin: string | undefined,
): Promise<void> {
  // Written first: a folder with saved states but no recipe counts as a damaged run.
  await writeFileAtomic(path.join(folder, 'recipe.json'), `${JSON.stringify({ base, recipe: written }, null, 2)}\n`);
  if (twin !== undefined) await giveStates(TRAINING, path.join(path.dirname(folder), twin), folder);
}

/** Report of a trial that a shard has finished; undefined for an unfinished trial. `UserError` for a trial of another recipe. */
export async function findTrial(
  jobs: JobFolder,
  { run, loaded }: Pick<SearchTrial, 'run' | 'loaded'>,
): Promise<Report | undefined> {
  const trialFolder = jobs.place(run);
  const report = await finishedReport(trialFolder);
  if (report === undefined) return undefined;
  const { changes } = differences((await storedRecipe(trialFolder)).written, loaded.written);
  if (changes.length === 0) return report;
  throw new UserError(
    `${trialFolder}: this trial was run with another recipe than this run's:\n${changes.map((change) => `  ${change}`).join('\n')}`,
    'Remove the folder, and let its shard or this run repeat it.',
  );
}

/** Copies a trial that a shard has finished into the search in `folder`, with the teacher and assistants trained for it. */
export async function takeTrial(jobs: JobFolder, run: string, folder: string): Promise<void> {
  await giveAnswers(jobs.folder, folder);
  await giveTeachers(jobs.folder, folder);
  const to = path.join(folder, 'search', run);
  await rm(`${to}.part`, { recursive: true, force: true });
  await cp(jobs.place(run), `${to}.part`, { recursive: true, filter: (file) => path.basename(file) !== 'lock' });
  await rm(to, { recursive: true, force: true });
  await rename(`${to}.part`, to);
}
