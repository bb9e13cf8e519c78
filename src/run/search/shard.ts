import type { Shard } from '../../base/shard.ts';
import { partOf } from '../../base/shard.ts';
import { survivors } from '../../folder/search/points.ts';
import { twinOf } from '../../folder/search/sharing.ts';
import { candidatesOf, recipeOf, runOf, shareOf } from '../../folder/search/space.ts';
import { judgeOf, pointsOf } from '../../folder/search/trials.ts';
import type { Trial } from '../../folder/search/trials.ts';
import { TrialsFolder } from '../../folder/search/trials-folder.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { runAlone } from '../alone.ts';
import { requireFilesBefore } from '../inputs.ts';
import type { Stages } from '../follow.ts';
import type { RunOptions } from '../options.ts';
import { refuseUntimed } from './search.ts';

export interface SearchedShard {
  /** Rounds that all shards have finished, and of how many. */
  readonly rounds: number;
  readonly total: number;
  /** Trials of the round after that which are not finished. */
  readonly missing: number;
  readonly folder: string;
}

/**
 * A shard's part of the search of a recipe with a target: in each round the candidates of its widths, since those of one width share a
 * training. A round begins as soon as all shards have finished the one before. A plain run of the recipe takes what is finished, does what
 * is missing, times all side by side and picks.
 */
export async function searchShard(
  given: LoadedRecipe,
  { run, shard, stages }: { readonly run: string; readonly shard: Shard; readonly stages: Stages },
  options: RunOptions,
): Promise<SearchedShard> {
  const target = given.recipe.target!;
  const folder = new TrialsFolder(run);
  let candidates = candidatesOf(target);
  // A student that cannot be built is found before anything is trained.
  for (const candidate of candidates) recipeOf(given, candidate, 1, target);
  await requireFilesBefore(folder.folder, given.recipe);
  await folder.begin();
  for (let round = 0; round < target.rounds; round++) {
    const share = shareOf(round, target.rounds);
    const all = candidates.map((candidate) => {
      const loaded = recipeOf(given, candidate, share, target);
      return { candidate, run: runOf(candidate, round), loaded };
    });
    const widths = partOf([...new Set(candidates.map(({ width }) => width))], shard);
    const own: Trial[] = [];
    for (const trial of all.filter(({ candidate }) => widths.includes(candidate.width))) {
      const place = `round ${round + 1} of ${target.rounds}`;
      options.onEvent?.({ type: 'message', message: `search: ${trial.run} (${place})` });
      await folder.open(trial.run, trial.loaded, twinOf(trial, own)?.run);
      const { report } = await runAlone(
        trial.loaded,
        folder.folderOf(trial.run),
        { ...options, isShard: true, shared: folder.folder, withoutTest: true },
        stages,
      );
      refuseUntimed({ ...trial, report }, target);
      own.push({ ...trial, report });
    }
    const trials: Trial[] = [];
    for (const trial of all) {
      const report = await folder.find(trial.run, trial.loaded);
      if (report !== undefined) trials.push({ ...trial, report });
    }
    const missing = all.length - trials.length;
    if (missing > 0) return { rounds: round, total: target.rounds, missing, folder: folder.folder };
    const groups = new Map(trials.map((trial) => [trial.candidate, pointsOf(trial, target)]));
    candidates = survivors(groups, judgeOf(given.recipe, trials));
  }
  return { rounds: target.rounds, total: target.rounds, missing: 0, folder: folder.folder };
}
