import type { ShipContext } from '../ship/context.ts';
import type { StageStates } from '../train/training.ts';

/** What every stage gets. Stages know neither paths nor the stage that follows. */
export interface StageContext extends ShipContext {
  readonly signal?: AbortSignal | undefined;
  /** Most milliseconds between two saved states: what a kill can cost. */
  readonly saveEveryMs: number;
  /** Saved states of a stage, by the name of the stage. */
  readonly states: (stage: string) => StageStates;
  /** True if another process of this run has already checked the teacher's answers. */
  readonly isChecked?: boolean;
}
