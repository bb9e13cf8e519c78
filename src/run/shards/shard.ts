import type { Shard } from '../../base/shard.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { RunOptions } from '../options.ts';
import { trainRaceShard } from '../methods.ts';
import { repeatShard } from './repeats.ts';
import type { Repeated } from './repeats.ts';
import type { SharedRounds } from './rounds.ts';
import { searchShard } from './search.ts';

export interface Sharded {
  /** Absent for a recipe without a target. */
  readonly search?: SharedRounds;
  /** Absent for a recipe without a race of losses. */
  readonly race?: SharedRounds;
  /** Absent for a recipe with a single repeat, and until the race has chosen a loss. */
  readonly repeated?: Repeated;
}

/** Runs a shard's part of a recipe that trains many times: the candidates of a search, or those of a race of losses, then the repeats. */
export async function trainShard(given: LoadedRecipe, shard: Shard, options: RunOptions = {}): Promise<Sharded> {
  const { distill, repeats, target } = given.recipe;
  if (target !== undefined) return { search: await searchShard(given, shard, options) };
  const race = distill.loss === 'auto' ? await trainRaceShard(given, shard, options) : undefined;
  if (race !== undefined && (race.missing > 0 || repeats === 1)) return { race };
  return { ...(race && { race }), repeated: await repeatShard(given, shard, options) };
}
