import { UserError } from '../base/errors.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Processes } from '../train/processes.ts';
import type { Report } from '../report/types.ts';
import type { OnEvent } from '../base/events.ts';
import type { Existing } from '../folder/folder.ts';
import type { Place } from '../folder/compute-place.ts';

export interface RunOptions {
  /** Folder that holds the run folders. Default: `checkpoints`. */
  readonly out?: string;
  /** Treatment of an earlier run of the same name with another recipe. Default: stop and list the differences. */
  readonly existing?: Existing;
  /** Engine and device to resume with under `existing: 'resume'`, instead of those that the run began with. */
  readonly place?: Place;
  readonly onEvent?: OnEvent;
  /** Stops the run after the current step: the state is saved and the promise rejects with an `InterruptedError`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Processes that share the run: each calls `runRecipe` with the same recipe and data. Default: this process alone.
   * @internal
   */
  readonly processes?: RunProcesses | undefined;
  /** Maximum seconds between two saved states, which a kill may lose. Default 5. */
  readonly saveEvery?: number | undefined;
}

/**
 * Processes that share a run.
 * @internal
 */
export interface RunProcesses extends Processes {
  /** Number of parts that each batch is cut into for a recipe without `shards`. */
  readonly shards: number;
  /** Seconds that this process has waited for others so far: most in the fastest process. */
  readonly waitedSeconds: number;
  /** `UserError` if they cannot share the batches of the run in `folder`. */
  requireShards(recipe: Pick<Recipe, 'shards'>, folder: string): void;
  /** Runs a recipe in all of them by `work`. */
  run(
    work: (given: LoadedRecipe, options: RunOptions) => Promise<RunResult>,
    given: LoadedRecipe,
    options: RunOptions,
  ): Promise<RunResult>;
}

export interface RunResult {
  readonly folder: string;
  readonly report: Report;
}

/** Checks values that types cannot exclude: with NaN the run would never save. */
export function checkOptions({ saveEvery = 5 }: RunOptions): void {
  if (saveEvery >= 0) return;
  throw new UserError(
    `saveEvery: expected a number of seconds ≥ 0, received ${saveEvery}`,
    'Leave it out to save every 5 seconds.',
  );
}
