import type { IncomingMessage } from 'node:http';
import type { FlagValues, Flags } from '../base/flags.ts';
import type { Log } from '../base/log.ts';
import { Slot } from '../base/registry.ts';
import type { Client, InferAnswer, InferRequest } from './batch/queue.ts';
import type { ServedModel } from './model.ts';
import type { ErrorBody, Reply } from './http/reply.ts';
import { serverObservers } from './observer-registry.ts';
import type { PoolOptions } from './worker/pool.ts';

/** Settings of a server's observers by their names. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- each observer adds its key by declaration merging, which only an interface takes
export interface ObserverSettings {}

/** A request to the address of an observer. */
export interface AddressedCall {
  readonly request: IncomingMessage;
  /** Reads the body. */
  readonly body: (kind: 'json') => Promise<Buffer>;
  readonly client: Client;
  /** The model of a name. `Refusal` if there is none. */
  readonly model: (name: string) => ServedModel;
}

/** An address of the server that an observer answers, of more than one model. A model of the name of its last part has it, where there is one. */
export interface ServerAddress {
  readonly path: readonly string[];
  readonly answer: (call: AddressedCall) => Promise<Reply>;
  /** Body of a refusal, in the form that clients of this address read. */
  readonly errorBody: ErrorBody;
  /** Operation of `POST` in the OpenAPI document; undefined if none of the models can be asked. */
  readonly operation: (models: readonly ServedModel[]) => object | undefined;
}

/** An observer of answers. */
export interface ServerObserver {
  readonly address?: ServerAddress;
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
