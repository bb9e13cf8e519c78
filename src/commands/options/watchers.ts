import type { Options } from 'yargs';
import type { OnEvent } from '../../base/events.ts';
import { Registry } from '../../base/registry.ts';

export interface Watchers {
  readonly onEvent: OnEvent;
  /** `error`: error that ended the run, if any. */
  readonly close: (error?: unknown) => Promise<void>;
}

/** A way to watch a run, with options of its own; only the first process of several opens it. */
interface Watcher {
  readonly name: string;
  readonly options: Readonly<Record<string, Options>>;
  /** Opens what the options ask for; undefined if they do not ask for it. `UserError` for a port that cannot be opened. */
  readonly open: (args: Readonly<Record<string, unknown>>, tell: OnEvent) => Promise<Watchers | undefined>;
}

/** Ways to watch a run that `src/features.ts` names. */
export const watchers = new Registry<Watcher>('way to watch a run');
