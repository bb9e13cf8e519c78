import type { ShipContext } from '../ship/context.ts';
import type { StageStates } from '../train/saved-training.ts';

/** Context of a stage. Stages know neither paths nor the stage that follows. */
export interface StageContext extends ShipContext {
  readonly signal?: AbortSignal | undefined;
  /** Maximum milliseconds between two saved states, which a kill may lose. */
  readonly saveEveryMs: number;
  /** Saved states of a stage, by the name of the stage. */
  readonly states: (stage: string) => StageStates;
  /** True if another process of this run has already checked the teacher's answers. */
  readonly isChecked?: boolean;
  /** True if the run is to say what it will take: a new run in one process, neither a shard nor a trial. */
  readonly isForecast?: boolean;
}

/** What a training uses of the context. */
export type FitContext = Omit<StageContext, 'written' | 'isChecked' | 'isForecast'>;
