import path from 'node:path';
import { InterruptedError, UserError } from '../base/errors.ts';
import { partOf } from '../base/shard.ts';
import type { Shard } from '../base/shard.ts';
import { SweepFolder } from '../folder/sweep-folder.ts';
import type { TrialSoFar } from '../folder/sweep-folder.ts';
import type { TrialSettings } from '../recipe/grid.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { runAlone } from './alone.ts';
import { inputsOfSweep, requireFilesBefore } from './inputs.ts';
import { checkOptions } from './options.ts';
import type { RunOptions } from './options.ts';
import { stages } from './stages.ts';

export type SweepOptions = Pick<RunOptions, 'out' | 'saveEvery' | 'onEvent' | 'signal'>;

export interface Swept {
  readonly folder: string;
  /** Trials of all shards, with the reports that exist so far. */
  readonly trials: readonly TrialSoFar[];
  /** Trials of this shard that failed, and why. */
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * A shard's part of the trials of a sweep, each a run of its own. Runs that are finished are left as they are, those that were stopped
 * go on; a trial that fails does not keep the others from their turn. One whose files hold something else than when others began fails.
 */
export async function sweepShard(
  base: LoadedRecipe,
  trials: readonly TrialSettings[],
  load: (trial: TrialSettings) => Promise<LoadedRecipe>,
  shard: Shard,
  { out = 'checkpoints', onEvent = () => undefined, ...options }: SweepOptions = {},
): Promise<Swept> {
  checkOptions(options);
  // All trials are validated before the first one runs.
  const loaded = new Map<string, LoadedRecipe>();
  for (const trial of trials) loaded.set(trial.name, await load(trial));
  const run = path.join(out, base.recipe.name);
  for (const { recipe } of loaded.values()) await requireFilesBefore(SweepFolder.of(run), recipe);
  const sweep = await SweepFolder.open(run, base, trials);
  const failed: { name: string; reason: string }[] = [];
  const own = partOf(trials, shard);
  for (const [i, { name, set }] of own.entries()) {
    onEvent({ type: 'message', message: `trial ${name} (${i + 1} of ${own.length}): ${set.join(' ')}` });
    try {
      await sweep.giveAnswers(name);
      const given = loaded.get(name)!;
      const inputs = inputsOfSweep(sweep.folder, given);
      await runAlone(
        given,
        path.join(sweep.folder, given.recipe.name),
        { ...options, onEvent, inputs, isShard: true },
        stages,
      );
    } catch (error) {
      if (error instanceof InterruptedError || !(error instanceof UserError)) throw error;
      failed.push({ name, reason: error.message });
      onEvent({ type: 'warning', message: `trial ${name}: ${error.message}` });
    }
  }
  return { folder: sweep.folder, trials: await sweep.soFar(), failed };
}
