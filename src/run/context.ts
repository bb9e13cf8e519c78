import type { ShipContext } from '../ship/context.ts';
import type { StageStates } from '../train/training.ts';

/** Context of every stage. It knows neither paths nor which stage comes next. */
export interface StageContext extends ShipContext {
  readonly signal?: AbortSignal | undefined;
  /** Most milliseconds between two saved states: what a kill can cost. */
  readonly saveEveryMs: number;
  /** Saved states of a stage, by the name of the stage. */
  readonly states: (stage: string) => StageStates;
  /** True where another process of this run has looked at the teacher's answers before. */
  readonly isChecked?: boolean;
}
