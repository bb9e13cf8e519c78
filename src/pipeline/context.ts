import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import type { OnEvent } from '../base/events.ts';
import type { LedgerRow } from './ledger.ts';
import type { Figures } from '../base/events.ts';
import type { StageStates } from './training.ts';

/** What every stage is given. It knows neither paths nor which stage comes next. */
export interface StageContext {
  readonly recipe: Recipe;
  /** The recipe as it was written: the same on every machine. */
  readonly written: Recipe;
  readonly engine: Engine;
  readonly data: LoadedDataset;
  readonly onEvent: OnEvent;
  readonly signal?: AbortSignal | undefined;
  /** Most milliseconds between two saved states: what a kill can cost. */
  readonly saveEveryMs: number;
  /** Where a stage keeps what it has so far, by the name of the stage. */
  readonly states: (stage: string) => StageStates;
  /** Enter a completed stage in the ledger. */
  readonly done: (stage: string, seconds: number, figures?: Figures, notes?: LedgerRow['notes']) => Promise<void>;
}
