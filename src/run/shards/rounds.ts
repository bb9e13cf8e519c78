import path from 'node:path';
import { JobFolder } from '../../folder/jobs.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { requireFilesBefore } from '../inputs.ts';
import type { RunOptions } from '../options.ts';

/** Progress of jobs in rounds. The results of a round choose the jobs of the next, so all shards must finish a round before the next begins. */
export interface Rounds {
  /** Number of rounds that all shards have finished, and number of all rounds. */
  readonly rounds: number;
  readonly total: number;
  /** Number of unfinished jobs in the round that follows. */
  readonly missing: number;
}

export interface SharedRounds extends Rounds {
  readonly folder: string;
}

export function runFolder({ recipe }: LoadedRecipe, { out = 'checkpoints' }: RunOptions): string {
  return path.join(out, recipe.name);
}

/** Opens the folder of a recipe's jobs. `UserError` for a missing input file, before the folder is made. */
export async function openJobs(
  given: LoadedRecipe,
  kind: 'race' | 'repeats' | 'search',
  options: RunOptions,
): Promise<JobFolder> {
  const jobs = new JobFolder(runFolder(given, options), kind);
  await requireFilesBefore(jobs.folder, given.recipe);
  return jobs;
}

/**
 * Works through the rounds from 0 to the first with missing jobs. `work` does the shard's jobs of a round and returns the number of jobs that are
 * still missing.
 */
export async function inRounds(total: number, work: (round: number) => Promise<number>): Promise<Rounds> {
  for (let round = 0; round < total; round++) {
    const missing = await work(round);
    if (missing > 0) return { rounds: round, total, missing };
  }
  return { rounds: total, total, missing: 0 };
}
