import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { partOf } from '../base/shard.ts';
import type { Shard } from '../base/shard.ts';
import { RaceFolder } from '../folder/race-folder.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { raceStage } from '../report/artifact.ts';
import { runAlone } from './alone.ts';
import type { Stages } from './follow.ts';
import { requireFilesBefore } from './inputs.ts';
import type { RunOptions } from './options.ts';
import { repeatKey } from './repeat-key.ts';
import { courseOf, ranked, trainCandidate, turnsOf } from './stages/race.ts';
import { lessonsOf } from './students.ts';

export interface RacedShard {
  /** Rounds that all shards have finished, and of how many. */
  readonly rounds: number;
  readonly total: number;
  /** Candidates of the round after that which are not finished. */
  readonly missing: number;
  readonly folder: string;
}

/**
 * A shard's part of the race of losses: its candidates of the first round, and of each further round as soon as all shards have finished
 * the one before. What is finished is left as it is. A plain run of the recipe takes what is finished, and trains what is missing.
 */
export async function raceShard(given: LoadedRecipe, shard: Shard, options: RunOptions = {}): Promise<RacedShard> {
  const { name, distill } = given.recipe;
  if (distill.loss !== 'auto') throw new Error('no race: the recipe names its loss');
  const folder = new RaceFolder(path.join(options.out ?? 'checkpoints', name));
  const total = distill.race.rounds;
  await requireFilesBefore(folder.folder, given.recipe);
  await folder.begin();
  for (let round = 0; round < total; round++) {
    options.onEvent?.({ type: 'message', message: `round ${round + 1} of ${total}` });
    const own = folder.folderOf(round, shard);
    const isFresh = options.existing === 'fresh';
    await runAlone(
      given,
      own,
      { ...options, isShard: true, shared: folder.folder },
      stagesOf(folder, { round, shard, own, isFresh }),
    );
    const missing = await folder.missing(round, raceStage);
    if (missing > 0) return { rounds: round, total, missing, folder: folder.folder };
  }
  return { rounds: total, total, missing: 0, folder: folder.folder };
}

interface Own {
  readonly round: number;
  readonly shard: Shard;
  /** Folder of the shard's run. */
  readonly own: string;
  /** True where what is finished is to be trained again. */
  readonly isFresh: boolean;
}

function stagesOf(folder: RaceFolder, { round, shard, own, isFresh }: Own): Stages {
  return async (begin, stores) => {
    const { context, teaching, lessons } = await lessonsOf(begin, stores);
    if (lessons === undefined)
      throw new UserError('--shard: a race of losses compares what teachers teach', 'Name a teacher in the recipe.');
    const key = await repeatKey(context, teaching);
    const course = courseOf(context);
    await folder.tell(course.plan.map(({ count }) => count));
    let left = course.candidates;
    for (let before = 0; before < round; before++)
      left = await ranked(context, turnsOf(course, before, left), async ({ stage }) => {
        const score = await folder.find(stage, key);
        // It was there when the round began.
        if (score === undefined) throw new Error(`${folder.folder}: ${stage} is gone`);
        return score;
      });
    for (const turn of partOf(turnsOf(course, round, left), shard)) {
      if (!isFresh && (await folder.find(turn.stage, key)) !== undefined) continue;
      const validation = await trainCandidate(context, turn, lessons);
      await folder.finish(turn.stage, { key, validation, folder: path.basename(own) });
    }
    return { data: context.data };
  };
}
