import type { OnEvent } from '../../base/events.ts';
import { partOf } from '../../base/shard.ts';
import type { Shard } from '../../base/shard.ts';
import { survivors } from '../../folder/search/points.ts';
import { candidatesOf, candidateRecipe, runOf, shareOf } from '../../folder/search/space.ts';
import { roughly } from '../../folder/search/summary.ts';
import { judgeOf, pointsOf, twinOf } from '../../folder/search/trials.ts';
import type { SearchTrial } from '../../folder/search/trials.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Report } from '../../report/types.ts';
import type { LikeRuns } from '../context.ts';
import { inRounds } from '../shards/rounds.ts';
import type { Rounds } from '../shards/rounds.ts';

export type NewTrial = Omit<SearchTrial, 'report'>;

interface Work {
  /** The widths are divided among shards; candidates of the same width share a training and stay together. */
  readonly shard: Shard;
  /** Runs a trial, which starts from the training of the trial `twin` if that is given. */
  readonly run: (trial: NewTrial, twin: string | undefined, likeRuns: LikeRuns) => Promise<SearchTrial>;
  /** Report of a trial that another shard has finished. */
  readonly find: (trial: NewTrial) => Promise<Report | undefined>;
  readonly onEvent: OnEvent;
}

/** The rounds of a search by successive halving: the better candidates go on to the next round. Stops at the first round with trials that no shard has finished. */
export async function halve(loaded: LoadedRecipe, { shard, run, find, onEvent }: Work): Promise<Rounds> {
  const target = loaded.recipe.target!;
  const total = target.rounds;
  let candidates = candidatesOf(target);
  // Builds every student before the first training, so that a width that cannot be built is reported at once.
  for (const candidate of candidates) candidateRecipe(loaded, candidate, 1, target);
  return inRounds(total, async (round) => {
    const all = candidates.map((candidate) => ({
      candidate,
      run: runOf(candidate, round),
      loaded: candidateRecipe(loaded, candidate, shareOf(round, total), target),
    }));
    const widths = partOf([...new Set(candidates.map(({ width }) => width))], shard);
    const finished: SearchTrial[] = [];
    for (const [i, trial] of all.entries()) {
      const { width, amount } = trial.candidate;
      if (!widths.includes(width)) continue;
      const what = `width ${width}, ${roughly(amount)} of the MACs pruned`;
      const place = `${i + 1} of ${all.length} in round ${round + 1} of ${total}`;
      onEvent({ type: 'message', message: `search: ${what} (${place})` });
      // Each round keeps about half of the candidates of the last round and doubles their epochs. Candidates of one width share a training.
      const left = widths.length * (total - round) - widths.indexOf(width);
      finished.push(await run(trial, twinOf(trial, finished)?.run, { runs: left, teachers: 1 }));
    }
    const trials: SearchTrial[] = [];
    for (const trial of all) {
      const report = finished.find((one) => one.run === trial.run)?.report ?? (await find(trial));
      if (report !== undefined) trials.push({ ...trial, report });
    }
    const groups = new Map(trials.map((trial) => [trial.candidate, pointsOf(trial, target)]));
    if (trials.length === all.length) candidates = survivors(groups, judgeOf(loaded.recipe, trials));
    return all.length - trials.length;
  });
}
