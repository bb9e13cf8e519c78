import { UserError } from '../../base/errors.ts';
import { partOf } from '../../base/shard.ts';
import type { Shard } from '../../base/shard.ts';
import { JobFolder } from '../../folder/jobs.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { toldOnce } from '../like-runs.ts';
import { runAlone } from '../run.ts';
import type { RunOptions } from '../options.ts';
import { repeatKey, resultOfRepeat } from '../repeat-key.ts';
import { prepareStudents, trainRepeats } from '../stages.ts';
import { openJobs, runFolder } from './rounds.ts';

export interface Repeated {
  /** Numbers of the repeats of this shard, from 1. */
  readonly repeats: readonly number[];
  readonly total: number;
  readonly folder: string;
}

/**
 * Trains a shard's part of the repeats of a recipe; each repeat is a run of its own that trains the student and its twin only. Finished repeats are
 * left alone, stopped repeats continue. A plain run of the recipe takes over finished repeats.
 */
export async function repeatShard(given: LoadedRecipe, shard: Shard, options: RunOptions = {}): Promise<Repeated> {
  const { repeats: total, student } = given.recipe;
  if (total === 1 || student === undefined)
    throw new UserError(
      `--shard: expected a recipe with repeats, a race of losses or a target to share out, received ${student === undefined ? 'no student' : 'repeats: 1'}`,
      'Set repeats in the recipe, or share out trials with `limbeck sweep`.',
    );
  const jobs = await openJobs(given, 'repeats', options);
  const race = new JobFolder(runFolder(given, options), 'race');
  const ownRepeats = partOf(
    Array.from({ length: total }, (_, repeat) => repeat),
    shard,
  );
  const told = toldOnce(options.onEvent ?? (() => undefined));
  for (const [i, repeat] of ownRepeats.entries()) {
    const folder = String(repeat + 1);
    options.onEvent?.({ type: 'message', message: `repeat ${folder} of ${total}` });
    await jobs.giveAnswers(folder);
    const likeRuns = told.unlessTold({ runs: (ownRepeats.length - i) / total, teachers: 1 });
    const repeatOptions = { ...options, onEvent: told.onEvent, isShard: true, likeRuns };
    await runAlone(given, jobs.place(folder), repeatOptions, async (begin, stores) => {
      const prepared = await prepareStudents(begin, { ...stores, race });
      await trainRepeats(prepared, [repeat], stores);
      await jobs.write(resultOfRepeat(repeat), { key: await repeatKey(prepared.context, prepared.teaching) });
      return { data: prepared.context.data };
    });
  }
  return { repeats: ownRepeats.map((repeat) => repeat + 1), total, folder: jobs.folder };
}
