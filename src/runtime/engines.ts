import { Slot } from '../base/registry.ts';
import { DEFAULT_ENGINE } from '../recipe/engines.ts';
import type { EngineName } from '../recipe/engines.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from './engine.ts';
import { engines } from './engine-registry.ts';
import type { EngineStatus } from './engine-status.ts';

/** What opens an engine. */
export interface EngineRow {
  /** Creates the engine; `UserError` if this machine cannot run it on the device. */
  readonly create: (settings: Pick<Recipe, 'device' | 'threads' | 'stepsPerCall'>) => Engine;
  /** Usability on this machine. Loads the library if it is installed. */
  readonly status: () => EngineStatus;
}

/** Slots of engines. */
export interface EngineSlots {
  readonly engine: EngineRow;
}

const ENGINES = new Slot<EngineRow>(engines, 'engine', 'engine');

/** Row of the engine that a recipe asks for. `UserError` for an engine that is not there. */
export function engineRow(engine: Recipe['engine']): Promise<EngineRow> {
  return ENGINES.load(nameOf(engine));
}

/** `UserError` if the library of the engine that a recipe asks for is not installed; loads nothing. */
export function refuseMissingEngine(engine: Recipe['engine']): void {
  engines.get(nameOf(engine)).refuseMissing?.();
}

function nameOf(engine: Recipe['engine']): EngineName {
  return engine === 'auto' ? DEFAULT_ENGINE : engine;
}
