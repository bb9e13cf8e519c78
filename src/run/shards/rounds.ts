import path from 'node:path';
import { JobFolder } from '../../folder/jobs.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { requireFilesBefore } from '../inputs.ts';
import type { RunOptions } from '../options.ts';

/** Rounds of jobs, each of which chooses those of the next one, so that it begins when all shards have finished the one before. */
export interface Rounds {
  /** Rounds that all shards have finished, and of how many. */
  readonly rounds: number;
  readonly total: number;
  /** Jobs of the round after that which are not finished. */
  readonly missing: number;
}

export interface SharedRounds extends Rounds {
  readonly folder: string;
}

export function runFolder({ recipe }: LoadedRecipe, { out = 'checkpoints' }: RunOptions): string {
  return path.join(out, recipe.name);
}

/** Folder of the jobs of a recipe. `UserError` for a file that the recipe names and that is not there, before the folder is made. */
export async function openJobs(
  given: LoadedRecipe,
  kind: 'race' | 'repeats' | 'search',
  options: RunOptions,
): Promise<JobFolder> {
  const jobs = new JobFolder(runFolder(given, options), kind);
  await requireFilesBefore(jobs.folder, given.recipe);
  return jobs;
}

/** Rounds from 0, up to one of which jobs are missing; `work` does what a shard can of a round, and counts the jobs that are missing then. */
export async function inRounds(total: number, work: (round: number) => Promise<number>): Promise<Rounds> {
  for (let round = 0; round < total; round++) {
    const missing = await work(round);
    if (missing > 0) return { rounds: round, total, missing };
  }
  return { rounds: total, total, missing: 0 };
}
