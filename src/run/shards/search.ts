import type { Shard } from '../../base/shard.ts';
import { exists } from '../../base/files.ts';
import { beginTrial, findTrial } from '../../folder/search/trial-folders.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { runAlone } from '../run.ts';
import type { RunOptions } from '../options.ts';
import { toldOnce } from '../like-runs.ts';
import { halve } from '../search/halve.ts';
import { requireTimed } from '../search/search.ts';
import { openJobs } from './rounds.ts';
import type { SharedRounds } from './rounds.ts';

/**
 * Runs a shard's part of the search of a recipe with a target: in each round the candidates of its widths. A plain run of the recipe takes over
 * finished trials, runs the missing ones, times all files side by side and picks.
 */
export async function searchShard(given: LoadedRecipe, shard: Shard, options: RunOptions): Promise<SharedRounds> {
  const jobs = await openJobs(given, 'search', options);
  const told = toldOnce(options.onEvent ?? (() => undefined));
  const rounds = await halve(given, {
    shard,
    run: async (trial, twin, likeRuns) => {
      await jobs.giveAnswers();
      const folder = jobs.place(trial.run);
      if (!(await exists(jobs.place(`${trial.run}/recipe.json`)))) await beginTrial(folder, trial, twin);
      const alike = { onEvent: told.onEvent, likeRuns: told.unlessTold(likeRuns) };
      const trialOptions = { ...options, ...alike, isShard: true, shared: jobs.folder, withoutTest: true };
      const { report } = await runAlone(trial.loaded, folder, trialOptions);
      return requireTimed({ ...trial, report }, given.recipe.target!);
    },
    find: (trial) => findTrial(jobs, trial),
    onEvent: options.onEvent ?? (() => undefined),
  });
  return { ...rounds, folder: jobs.folder };
}
