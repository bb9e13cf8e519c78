import type { OnEvent } from '../../base/events.ts';
import type { FlagValues, Flags } from '../../base/flags.ts';
import { Registry, Slot } from '../../base/registry.ts';
import type { RunProcesses } from '../../run/options.ts';

export interface Watchers {
  readonly onEvent: OnEvent;
  /** `error`: error that ended the run, if any. */
  readonly close: (error?: unknown) => Promise<void>;
}

/** A way to watch a run, with options of its own. */
export interface Watcher {
  readonly options: Flags;
  /** Each of several processes opens it; otherwise only the first process does. */
  readonly ofEachProcess?: true;
  /** Opens what the options ask for; undefined if they do not ask for it. `UserError` for a port that cannot be opened. */
  readonly open: (args: FlagValues, tell: OnEvent, processes?: RunProcesses) => Promise<Watchers | undefined>;
}

/** Ways to watch a run that `src/features.ts` names. */
export const watchers = new Registry<{ readonly name: string }>('way to watch a run');

/** Loaded, all of them, by a command that watches a run. */
export const WATCHERS = new Slot<Watcher>(watchers, 'watcher', 'options');
