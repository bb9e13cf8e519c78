import type { FlagValues, Flags } from '../base/flags.ts';
import type { Log } from '../base/log.ts';
import { Slot } from '../base/registry.ts';
import type { InferAnswer, InferRequest } from './batch/queue.ts';
import type { ServedModel } from './model.ts';
import { serverObservers } from './observer-registry.ts';
import type { PoolOptions } from './worker/pool.ts';

/** Settings of a server's observers by their names. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- each observer adds its key by declaration merging, which only an interface takes
export interface ObserverSettings {}

/** An observer of answers. */
export interface ServerObserver {
  /** Called before a model is served. The function that it returns is called when the model is served. Throws a `UserError` to refuse the model. */
  readonly read?: (
    file: string,
    stored: Uint8Array,
    form: string,
  ) => Promise<((model: ServedModel) => void) | undefined>;
  /** Begins, with the models that are served. */
  readonly start?: (models: readonly ServedModel[]) => Promise<void>;
  /** True if answers of the model are told to it. */
  readonly watches: (model: ServedModel) => boolean;
  /** Called after each answer of a watched model; the server does not wait for work that it begins. */
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

/** Makes an observer for each name in `settings`, and each observer whose row has `isAlways`. */
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
