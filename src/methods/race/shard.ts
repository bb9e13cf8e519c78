import { readdir } from 'node:fs/promises';
import { UserError } from '../../base/errors.ts';
import { partOf } from '../../base/shard.ts';
import type { Shard } from '../../base/shard.ts';
import type { JobFolder } from '../../folder/jobs.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { raceStage } from '../../report/artifact.ts';
import { runAlone } from '../../run/run.ts';
import type { StageContext } from '../../run/context.ts';
import type { RunOptions } from '../../run/options.ts';
import { repeatKey } from '../../run/repeat-key.ts';
import { courseOf, RACE_RESULTS, raceResult, raceRounds, trainCandidate, turnsOf } from './race.ts';
import { lessonsOf } from '../../run/stages.ts';
import { inRounds, openJobs } from '../../run/shards/rounds.ts';
import type { SharedRounds } from '../../run/shards/rounds.ts';

/** Number of candidates in each round; every shard writes the same. */
const COUNTS = 'rounds.json';

/**
 * Trains a shard's candidates in each round of the race of losses, in a folder that all shards share. Finished trainings are not repeated. A plain
 * run of the recipe takes over the finished trainings and trains the missing ones.
 */
export async function raceShard(given: LoadedRecipe, shard: Shard, options: RunOptions): Promise<SharedRounds> {
  const { distill } = given.recipe;
  if (distill.loss !== 'auto') throw new Error('no race: the recipe names its loss');
  const total = distill.race.rounds;
  const jobs = await openJobs(given, 'race', options);
  await jobs.giveAnswers();
  const rounds = await inRounds(total, async (round) => {
    options.onEvent?.({ type: 'message', message: `round ${round + 1} of ${total}` });
    const folder = `round-${round + 1}-shard-${shard.index}-of-${shard.count}`;
    const candidateOptions = { ...options, isShard: true, shared: jobs.folder };
    await runAlone(given, jobs.place(folder), candidateOptions, async (begin, stores) => {
      const { context, teaching, lessons } = await lessonsOf(begin, stores);
      if (lessons === undefined)
        throw new UserError('--shard: a race of losses compares what teachers teach', 'Name a teacher in the recipe.');
      const key = await repeatKey(context, teaching);
      for (const turn of partOf(await turnsOfRound(context, { jobs, key, round }), shard)) {
        const result = raceResult(turn.stage);
        if (options.existing !== 'fresh' && (await jobs.find(result, key)) !== undefined) continue;
        await jobs.write(result, { key, folder, validation: await trainCandidate(context, turn, lessons) });
      }
      return { data: context.data };
    });
    return missing(jobs, round);
  });
  return { ...rounds, folder: jobs.folder };
}

/** Trainings of a round, chosen by the results of the earlier rounds. */
async function turnsOfRound(
  context: Pick<StageContext, 'recipe' | 'data'>,
  { jobs, key, round }: { readonly jobs: JobFolder; readonly key: string; readonly round: number },
): Promise<ReturnType<typeof turnsOf>> {
  const course = courseOf(context);
  await jobs.write(
    COUNTS,
    course.plan.map(({ count }) => count),
  );
  const left = await raceRounds(context, course, round, async ({ stage }) => {
    const result = await jobs.find(raceResult(stage), key);
    // Every candidate of the earlier round had its result when this round began, so a missing result is a fault of ours.
    if (result?.validation === undefined) throw new Error(`${jobs.folder}: ${stage} is gone`);
    return result.validation;
  });
  return turnsOf(course, round, left);
}

/** Number of unfinished candidates of a round. */
async function missing(jobs: JobFolder, round: number): Promise<number> {
  const counts = (await jobs.read(COUNTS)) as readonly number[];
  const names = await readdir(jobs.place(RACE_RESULTS)).catch(() => []);
  return counts[round]! - names.filter((name) => name.startsWith(raceStage(round + 1, 0).slice(0, -1))).length;
}
