import type { Collectives } from '../runtime/collectives/collectives.ts';
import { UserError } from '../base/errors.ts';
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
  /** Processes that train together: each calls `runRecipe` with the same recipe and data. Default: this process alone. */
  readonly together?: Collectives | undefined;
  /** Maximum seconds between two saved states, which a kill may lose. Default 5. */
  readonly saveEvery?: number | undefined;
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
