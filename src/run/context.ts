import type { ShipContext } from '../ship/context.ts';
import type { Collectives } from '../runtime/collectives.ts';
import type { StageStates } from '../train/training.ts';

/** What every stage is given. It knows neither paths nor which stage comes next. */
export interface StageContext extends ShipContext {
  readonly signal?: AbortSignal | undefined;
  /** The processes that train together, where several do. */
  readonly together?: Collectives | undefined;
  /** Most milliseconds between two saved states: what a kill can cost. */
  readonly saveEveryMs: number;
  /** Where a stage keeps what it has so far, by the name of the stage. */
  readonly states: (stage: string) => StageStates;
}
