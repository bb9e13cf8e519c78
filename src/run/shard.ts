import path from 'node:path';
import type { Shard } from '../base/shard.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { RunOptions } from './options.ts';
import { raceShard } from './race.ts';
import type { RacedShard } from './race.ts';
import { repeatShard } from './repeats.ts';
import type { Repeated } from './repeats.ts';
import { stages } from './stages.ts';
import { searchShard } from './search/shard.ts';
import type { SearchedShard } from './search/shard.ts';

export interface Sharded {
  /** Absent without a target. */
  readonly search?: SearchedShard;
  /** Absent without a race. */
  readonly race?: RacedShard;
  /** Absent where there is only one, and as long as the race has not chosen a loss. */
  readonly repeated?: Repeated;
}

/** A shard's part of what a recipe trains many times over: the candidates of a search, or those of the race of losses, and the repeats. */
export async function trainShard(given: LoadedRecipe, shard: Shard, options: RunOptions = {}): Promise<Sharded> {
  const { name, distill, repeats, target } = given.recipe;
  if (target !== undefined) {
    const run = path.join(options.out ?? 'checkpoints', name);
    return { search: await searchShard(given, { run, shard, stages }, options) };
  }
  if (distill.loss !== 'auto') return { repeated: await repeatShard(given, shard, options) };
  const race = await raceShard(given, shard, options);
  if (race.missing > 0 || repeats === 1) return { race };
  return { race, repeated: await repeatShard(given, shard, options) };
}
