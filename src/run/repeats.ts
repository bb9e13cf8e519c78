import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { partOf } from '../base/shard.ts';
import type { Shard } from '../base/shard.ts';
import { RaceFolder } from '../folder/race-folder.ts';
import { RepeatsFolder } from '../folder/repeats-folder.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Stages } from './follow.ts';
import type { RunOptions } from './options.ts';
import { repeatKey } from './repeat-key.ts';
import { runAlone } from './alone.ts';
import { prepare, trainRepeat } from './students.ts';
import { trainAtOnce } from './at-once.ts';

export interface Repeated {
  /** Numbers of the repeats of this shard, from 1. */
  readonly repeats: readonly number[];
  readonly total: number;
  readonly folder: string;
}

/**
 * A shard's part of the repeats of a recipe, each a run of its own that trains the student and its twin and no more. Those that are
 * finished are left as they are, those that were stopped go on. A plain run of the recipe takes what is finished, and goes on from there.
 */
export async function repeatShard(given: LoadedRecipe, shard: Shard, options: RunOptions = {}): Promise<Repeated> {
  const { name, repeats: total, student } = given.recipe;
  if (total === 1 || student === undefined)
    throw new UserError(
      `--shard: expected a recipe with repeats, a race of losses or a target to share out, received ${student === undefined ? 'no student' : 'repeats: 1'}`,
      'Set repeats in the recipe, or share out trials with `limbeck sweep`.',
    );
  const run = path.join(options.out ?? 'checkpoints', name);
  const folder = new RepeatsFolder(run);
  const own = partOf(
    Array.from({ length: total }, (_, repeat) => repeat),
    shard,
  );
  for (const repeat of own) {
    options.onEvent?.({ type: 'message', message: `repeat ${repeat + 1} of ${total}` });
    await folder.begin(repeat);
    const race = new RaceFolder(run, folder.folderOf(repeat));
    await runAlone(given, folder.folderOf(repeat), { ...options, isShard: true }, stagesOf(folder, repeat, race));
  }
  return { repeats: own.map((repeat) => repeat + 1), total, folder: folder.folder };
}

function stagesOf(folder: RepeatsFolder, repeat: number, race: RaceFolder): Stages {
  return async (begin, stores) => {
    const prepared = await prepare(begin, { ...stores, race });
    await trainAtOnce(prepared, [repeat], stores);
    await trainRepeat(prepared, repeat, stores);
    await folder.finish(repeat, await repeatKey(prepared.context, prepared.teaching));
    return { data: prepared.context.data };
  };
}
