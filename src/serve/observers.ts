import type { FlagValues, Flags } from '../base/flags.ts';
import type { Log } from '../base/log.ts';
import { Registry, Slot } from '../base/registry.ts';
import type { InferAnswer, InferRequest } from './batch/queue.ts';
import type { ServedModel } from './model.ts';
import type { PoolOptions } from './worker/pool.ts';

/** Observers of the answers of a server, which `src/features.ts` names; `isAlways`: of every server, asked for or not. */
export const serverObservers = new Registry<{ readonly name: string; readonly isAlways?: boolean }>(
  'observer of the server',
);

/** Settings of a server's observers by their names. Each observer declares its own. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface ObserverSettings {}

/** An observer of answers. */
export interface ServerObserver {
  /** Reads what it must know of a model before it is served, for when it is. `UserError` refuses the model. */
  readonly read?: (
    file: string,
    stored: Uint8Array,
    form: string,
  ) => Promise<((model: ServedModel) => void) | undefined>;
  /** Begins, with the models that are served. */
  readonly start?: (models: readonly ServedModel[]) => Promise<void>;
  /** True if answers of the model are told to it. */
  readonly watches: (model: ServedModel) => boolean;
  /** Nobody waits for what it does with an answer. */
  readonly onAnswer: (model: ServedModel, request: InferRequest, answer: InferAnswer) => void;
  readonly close?: () => Promise<void>;
}

/** Makes an observer. `pool`: how processes of models are started. */
export type Observe<Settings = unknown> = (settings: Settings, log: Log, pool: PoolOptions) => ServerObserver;

const OBSERVE = new Slot<Observe>(serverObservers, 'observeServer', 'observer');

/** Options of `limbeck serve` for an observer. */
export interface ObserverFlags {
  readonly options: Flags;
  /** Settings of the observer; undefined if the words ask for none. `UserError` for values that it cannot have. */
  readonly settings: (words: FlagValues) => ObserverSettings[keyof ObserverSettings] | undefined;
}

export const OBSERVER_FLAGS = new Slot<ObserverFlags>(serverObservers, 'flags', 'options');

/** Makes the observers that settings ask for, and those of every server, by name. */
export async function observersOf(
  settings: ObserverSettings,
  log: Log,
  pool: PoolOptions,
): Promise<ReadonlyMap<string, ServerObserver>> {
  const made = new Map<string, ServerObserver>();
  for (const { name, isAlways = false } of serverObservers.all()) {
    const own = (settings as Readonly<Record<string, unknown>>)[name];
    if (own !== undefined || isAlways) made.set(name, (await OBSERVE.load(name))(own, log, pool));
  }
  return made;
}
