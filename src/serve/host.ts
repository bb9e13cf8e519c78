import { sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { readOnnx } from '../files/onnx-file.ts';
import { refuseStream } from '../files/stated.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import type { BatchingOptions } from './batch/policy.ts';
import type { InferAnswer, InferRequest } from './batch/queue.ts';
import { Scheduler } from './batch/scheduler.ts';
import type { OnAnswered } from './batch/scheduler.ts';
import { servedModel, MODEL_VERSION } from './model.ts';
import type { ServedModel } from './model.ts';
import { observersOf } from './observers.ts';
import type { ObserverSettings, ServerAddress, ServerObserver } from './observers.ts';
import type { Reader } from './reading/reader.ts';
import { Refusal, withoutFolder } from './refusal.ts';
import { available } from './sources.ts';
import type { Source, Sources } from './sources.ts';
import { Pool } from './worker/pool.ts';
import type { PoolOptions } from './worker/pool.ts';
import { statedForm } from '../recipe/stated-names.ts';
import { checkPreparation } from './v1/fitted.ts';
import { loadForm } from './v1/forms.ts';
import { statedNames } from './v1/preparation.ts';
import { weightsOf } from './weights.ts';
import type { WeightFacts } from './weights.ts';
import type { ModelToLoad } from './worker/process.ts';
import { spooled } from './worker/spool.ts';
import type { ModelLimits } from './limits.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { inOnePiece } from '../formats/onnx/large.ts';

export interface HostOptions extends PoolOptions {
  readonly reader: Reader;
  readonly sources: Sources;
  readonly batch: BatchingOptions;
  readonly limits: ModelLimits;
  readonly log: Log;
  readonly onAnswered: OnAnswered;
  readonly observers: ObserverSettings;
}

/** Changes of the set of models that may wait, besides the one that goes on. */
const MOST_CHANGES = 8;

export interface IndexRow {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  readonly reason: string;
}

/** One loaded model, with what its workers are given. */
interface Held {
  readonly source: Source;
  readonly toLoad: ModelToLoad;
  readonly metadata: ReadonlyMap<string, string>;
  readonly sha256: string;
  readonly weights: WeightFacts;
  /** Told of the model when it is served. */
  readonly told: readonly ((model: ServedModel) => void)[];
}

/** The models of a server: loaded, asked, loaded again, unloaded. */
export class ModelHost {
  readonly pool: Pool;
  /** Reader of the bodies of requests. */
  readonly reader: Reader;
  readonly log: Log;
  /** Addresses of observers. */
  addresses: readonly ServerAddress[] = [];
  readonly #options: HostOptions;
  readonly #scheduler: Scheduler;
  #held = new Map<string, Held>();
  #models = new Map<string, ServedModel>();
  /** Models that are being unloaded: their requests are still answered, new ones are refused. */
  readonly #leaving = new Set<string>();
  readonly #reasons = new Map<string, string>();
  #observers: ReadonlyMap<string, ServerObserver> = new Map();
  #loads = 0;
  #change: Promise<unknown> = Promise.resolve();
  #changes = 0;
  readonly #stop = new AbortController();
  #stopping = false;
  #draining = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.reader = options.reader;
    this.log = options.log;
    this.pool = new Pool(options, options.log, () => this.#scheduler.wake());
    this.#scheduler = new Scheduler(this.pool, () => this.#models.values(), options.onAnswered);
  }

  /** Load all that there is. `UserError` if one of them cannot be. */
  async start(signal?: AbortSignal): Promise<void> {
    const { sources, log } = this.#options;
    const found = await available(sources, (message) => log.write('warn', message));
    if (found.size === 0) {
      throw new UserError(
        `serve: no .onnx file in ${sources.folders.join(', ')}`,
        'Name a file, a run, or a folder that has some.',
      );
    }
    this.#observers = await observersOf(this.#options.observers, log, this.#options);
    this.addresses = [...this.#observers.values()].flatMap(({ address }) => address ?? []);
    const held = new Map<string, Held>();
    for (const source of found.values()) {
      signal?.throwIfAborted();
      held.set(source.name, await this.#read(source));
    }
    await this.#serve(held, signal);
    for (const one of this.#observers.values()) await one.start?.(this.models);
  }

  get models(): readonly ServedModel[] {
    return [...this.#models.values()].filter(({ name }) => !this.#leaving.has(name));
  }

  /** The observer of a name; undefined if the server has none. */
  observer(name: string): ServerObserver | undefined {
    return this.#observers.get(name);
  }

  get pending(): number {
    return this.#scheduler.pending;
  }

  /** True if requests would be answered: not while stopping, nor while no worker lives. */
  get isReady(): boolean {
    return !this.#stopping && this.pool.workers.length > 0;
  }

  /** `Refusal` for a name or a version that is not there. */
  model(name: string, version?: string): ServedModel {
    const model = this.#models.get(name);
    if (model === undefined || !this.has(name)) throw new Refusal(404, `there is no model ${name.slice(0, 200)}`);
    if (version !== undefined && version !== MODEL_VERSION) {
      throw new Refusal(404, `model ${name} has version ${MODEL_VERSION}, not ${version}`);
    }
    return model;
  }

  has(name: string, version = ''): boolean {
    return (version === '' || version === MODEL_VERSION) && this.#models.has(name) && !this.#leaving.has(name);
  }

  infer(model: ServedModel, request: InferRequest): Promise<InferAnswer> {
    if (this.#draining) return Promise.reject(stopping());
    const answer = this.#scheduler.infer(model, request);
    const watching = [...this.#observers.values()].filter((one) => one.watches(model));
    if (watching.length === 0) return answer;
    return answer.then((found) => {
      for (const one of watching) one.onAnswer(model, request, found);
      return found;
    });
  }

  /**
   * Read the file of a model again, or for the first time; `Refusal` if it cannot be, and what was served before stays. `gone`: aborted when nobody
   * waits for it any more, which ends it.
   */
  load(name: string, gone?: AbortSignal): Promise<void> {
    return this.#alone(gone, async (signal) => {
      const source = (await available(this.#options.sources)).get(name);
      if (source === undefined) throw new Refusal(404, `there is no file for a model ${name}`);
      try {
        const read = await this.#read(source);
        signal.throwIfAborted();
        await this.#serve(new Map([...this.#held, [name, read]]), signal);
        this.#reasons.delete(name);
      } catch (error) {
        if (signal.aborted || !(error instanceof UserError)) throw error;
        this.#options.log.write('warn', `${name}: not loaded: ${error.message}`);
        const files = [source.file, ...[...this.#held.values()].map((held) => held.source.file)];
        const said = (text: string): string => files.reduce(withoutFolder, text);
        this.#reasons.set(name, said(error.message));
        throw new Refusal(400, said(`${error.message}. ${error.hint}`));
      }
    });
  }

  unload(name: string, gone?: AbortSignal): Promise<void> {
    return this.#alone(gone, async (signal) => {
      const model = this.model(name);
      this.#leaving.add(name);
      try {
        while (model.queue.requests > 0 && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
        const rest = new Map(this.#held);
        rest.delete(name);
        await this.#serve(rest, signal);
        this.#reasons.set(name, 'unloaded');
      } finally {
        this.#leaving.delete(name);
      }
    });
  }

  async index(): Promise<IndexRow[]> {
    const names = new Set([...(await available(this.#options.sources)).keys(), ...this.#models.keys()]);
    return [...names].map((name) => {
      const isServed = this.models.some((model) => model.name === name);
      const reason = this.#reasons.get(name) ?? (isServed ? '' : 'not loaded');
      return { name, version: MODEL_VERSION, state: isServed ? 'READY' : 'UNAVAILABLE', reason };
    });
  }

  /** Be ready no more, and change no more models, those that are being loaded included; requests that come are still answered. */
  stop(): void {
    this.#stopping = true;
    this.#stop.abort();
  }

  /** Take no more requests, answer those that are here, end the workers. */
  async close(patienceMs: number): Promise<void> {
    this.stop();
    this.#draining = true;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)));
    await Promise.race([this.#change.catch(() => undefined), patience]);
    await Promise.race([this.#scheduler.idle(), patience]);
    clearTimeout(timer);
    for (const { queue } of this.#models.values()) {
      const left = queue.filter(() => true);
      queue.remove(left);
      for (const { reject } of left) reject(stopping());
    }
    const closing = [...this.#observers.values()].map((one) => one.close?.());
    await Promise.all([this.pool.close(patienceMs), this.reader.close(), ...closing]);
  }

  /** Changes of the set of models, one after another, as long as somebody waits for them. `Refusal` where too many wait. */
  async #alone(gone: AbortSignal | undefined, change: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#stopping) throw stopping();
    if (this.#changes >= MOST_CHANGES)
      throw new Refusal(503, `${this.#changes} models wait to be loaded or unloaded`, {
        reason: 'REJECTED',
        retryAfterSeconds: 10,
      });
    const ended = new AbortController();
    const end = (): void => ended.abort();
    for (const signal of [gone, this.#stop.signal]) signal?.addEventListener('abort', end, { once: true });
    this.#changes++;
    const done = this.#change
      .catch(() => undefined)
      .then(() => ended.signal.throwIfAborted())
      .then(() => change(ended.signal));
    this.#change = done;
    try {
      await done;
    } catch (error) {
      if (this.#stopping) throw stopping();
      throw gone?.aborted === true ? new Refusal(499, 'the client is gone', { reason: 'CANCELED' }) : error;
    } finally {
      this.#changes--;
      this.#stop.signal.removeEventListener('abort', end);
    }
  }

  async #read(source: Source): Promise<Held> {
    const read = async (shapes?: InputShapes): Promise<Uint8Array> =>
      inOnePiece(await readOnnx(source.file, shapes), source.file, 'the server');
    const stored = await read();
    const bytes = source.shapes === undefined ? stored : await read(source.shapes);
    const key = `${source.name} ${++this.#loads}`;
    const { maxBatch } = this.#options.batch;
    const model = decodeModel(bytes, source.file);
    const message = { type: 'model', key, fileName: source.file, bytes: bytes.length, maxBatch } as const;
    const { metadata } = model;
    refuseStream(source.file, metadata);
    const note = checkPreparation(model, source.file);
    if (note !== undefined) this.#options.log.write('warn', `${source.name}: ${note}`);
    const names = statedNames(model);
    await loadForm(names);
    const told: Held['told'][number][] = [];
    for (const { read: readBy } of this.#observers.values()) {
      const tell = await readBy?.(source.file, stored, statedForm(names).kind);
      if (tell !== undefined) told.push(tell);
    }
    return {
      source,
      metadata,
      sha256: sha256(bytes),
      weights: weightsOf(model),
      told,
      toLoad: { message, read: await spooled(bytes) },
    };
  }

  async #serve(held: ReadonlyMap<string, Held>, signal?: AbortSignal): Promise<void> {
    const all = [...held.values()];
    await this.pool.replace(
      all.map(({ toLoad }) => toLoad),
      (ready) => {
        this.#models = new Map(
          all.map(({ source: { name, file }, toLoad: { message }, metadata, weights, told, sha256: hash }) => {
            const before = this.#models.get(name);
            if (before?.key === message.key) return [name, before];
            const facts = ready.models[message.key]!;
            for (const note of facts.notes) this.#options.log.write('warn', `${name}: ${note}`);
            const about = { metadata, weights, file, sizeBytes: message.bytes, sha256: hash };
            const { batch: options, limits } = this.#options;
            const setup = { ...about, name, key: message.key, facts, options, limits };
            const model = servedModel(setup, before);
            for (const tell of told) tell(model);
            return [name, model];
          }),
        );
        this.#held = new Map(held);
        this.#scheduler.wake();
      },
      signal,
    );
  }
}

function stopping(): Refusal {
  return new Refusal(503, 'the server is stopping', { reason: 'REJECTED' });
}
