import type { StageFigures, OnEvent } from '../base/events.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from '../runtime/engine.ts';
import type { LedgerRow } from '../folder/states/ledger.ts';
import type { Turns } from '../train/turns.ts';

/** Context of the functions that make files of trained models and check them. */
export interface ShipContext {
  readonly recipe: Recipe;
  /** The recipe as it was written: the same on every machine. */
  readonly written: Recipe;
  readonly engine: Engine;
  readonly data: LoadedDataset;
  /** The processes of the run. */
  readonly processes: Turns;
  /** Score from which the boxes of the model are shown, see `Task.boxes`: its files state it. */
  readonly threshold?: number | undefined;
  readonly onEvent: OnEvent;
  /** Enter a completed stage in the ledger. `seconds`: as the stage counts its work; undefined: the time that it took in this run. */
  readonly done: (
    stage: string,
    seconds: number | undefined,
    figures?: StageFigures,
    notes?: LedgerRow['notes'],
  ) => Promise<void>;
}
