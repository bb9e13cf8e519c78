import type { ShipContext } from '../ship/context.ts';
import type { StageStates } from '../train/saved-training.ts';

/** Work that a forecast is of. */
export interface Foretold extends LikeRuns {
  /** Finished stages, and seconds that each stage has taken so far. */
  readonly finished: readonly string[];
  readonly taken: ReadonlyMap<string, number>;
}

/** Runs that follow each other, as if they were the run that stands for them. */
export interface LikeRuns {
  /** Trials of a sweep; for a shard of a run its share of the repeats. */
  readonly runs: number;
  /** Runs among them that do not find their teacher and its answers in another. */
  readonly teachers: number;
}

/** Context of a stage. Stages know neither paths nor the stage that follows. */
export interface StageContext extends ShipContext {
  readonly signal?: AbortSignal | undefined;
  /** Maximum milliseconds between two saved states, which a kill may lose. */
  readonly saveEveryMs: number;
  /** Saved states of a stage, by the name of the stage. */
  readonly states: (stage: string) => StageStates;
  /** True if another process of this run has already checked the teacher's answers. */
  readonly isChecked?: boolean;
  /** The run prints a forecast before its first step if this is present. */
  readonly foretold?: Foretold | undefined;
}

/** What a training uses of the context. */
export type FitContext = Omit<StageContext, 'written' | 'isChecked' | 'foretold'>;
