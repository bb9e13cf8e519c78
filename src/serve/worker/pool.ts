import { monotonicMs } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { UserError } from '../../base/errors.ts';
import type { ReadyMessage } from './messages.ts';
import { WorkerEnded, WorkerProcess } from './process.ts';
import type { ModelToLoad, WorkerOptions } from './process.ts';

export interface PoolOptions extends WorkerOptions {
  readonly workers: number;
}

/** Processes that all have the same models. */
interface Generation {
  readonly models: readonly ModelToLoad[];
  readonly workers: Set<WorkerProcess>;
  current: boolean;
}

/** Pauses before a worker is started again that ended soon after its start, doubled each time. */
const PAUSE_MS = { first: 100, most: 10_000 };

/**
 * Worker processes. Whatever changes the set of models starts all of them anew beside the old ones, which end when they have
 * answered what they have: loading never holds up a request, and memory that ONNX Runtime does not give back at the end of a
 * session (microsoft/onnxruntime#25325) goes with its process. One that dies is replaced.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #log: Log;
  /** Called when a worker may have got room. */
  readonly #onRoom: () => void;
  #generation: Generation | undefined;
  #old = new Set<WorkerProcess>();
  #closed = false;
  /** Workers that ended without being told to, since the start. */
  deaths = 0;

  constructor(options: PoolOptions, log: Log, onRoom: () => void) {
    this.#options = options;
    this.#log = log;
    this.#onRoom = onRoom;
  }

  get workers(): readonly WorkerProcess[] {
    return [...(this.#generation?.workers ?? [])];
  }

  /** All workers that hold memory: old and new, idle and busy. */
  get everyone(): readonly WorkerProcess[] {
    return [...this.workers, ...this.#old];
  }

  /** One that has fewer than `most` batches, the least busy first. */
  free(most = 1): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    for (const worker of this.#generation?.workers ?? []) {
      if (!worker.isGone && worker.busy < most && worker.busy < (best?.busy ?? Infinity)) best = worker;
    }
    return best;
  }

  /**
   * Serve these models from the moment of `onSwap` on; what was served before stays until all are loaded, and if one cannot
   * be, or `signal` ends it. `UserError` for a model that cannot be loaded.
   */
  async replace(
    models: readonly ModelToLoad[],
    onSwap: (ready: ReadyMessage) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const first = new WorkerProcess(this.#options);
    const started = [first];
    const end = (): void => started.forEach((worker) => worker.kill());
    signal?.addEventListener('abort', end);
    try {
      const ready = await first.start(models);
      const known = models.map(({ message, read }) => ({
        message: { ...message, batching: ready.models[message.key]!.batching },
        read,
      }));
      signal?.throwIfAborted();
      for (let i = 1; i < this.#options.workers; i++) started.push(new WorkerProcess(this.#options));
      await Promise.all(started.slice(1).map((worker) => worker.start(known)));
      signal?.throwIfAborted();
      if (this.#closed) throw new UserError('the server is stopping', 'Start it again.');
      const before = this.#generation;
      this.#generation = { models: known, workers: new Set(started), current: true };
      for (const worker of started) this.#watch(worker, this.#generation);
      if (before !== undefined) this.#retire(before);
      onSwap(ready);
    } catch (error) {
      end();
      signal?.throwIfAborted();
      if (!(error instanceof WorkerEnded)) throw error;
      const names = models.map(({ message }) => message.fileName).join(', ');
      throw new UserError(
        `${names}: ${error.message} while it loaded`,
        'There may be too little memory for it: free some, or serve fewer models.',
      );
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }

  /** Ends all workers after the calls that they have; kills those that take longer than `patienceMs`. */
  async close(patienceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#generation !== undefined) this.#retire(this.#generation);
    this.#generation = undefined;
    const all = [...this.#old];
    const timer = setTimeout(() => all.forEach((worker) => worker.kill()), patienceMs);
    await Promise.all(all.map(({ ended }) => ended));
    clearTimeout(timer);
  }

  #retire(generation: Generation): void {
    generation.current = false;
    for (const worker of generation.workers) {
      this.#old.add(worker);
      void worker.ended.then(() => this.#old.delete(worker));
      worker.close();
    }
  }

  #watch(worker: WorkerProcess, generation: Generation, failures = 0): void {
    const since = monotonicMs();
    void worker.ended.then(() => {
      generation.workers.delete(worker);
      if (!generation.current) return;
      this.deaths++;
      const soon = monotonicMs() - since < PAUSE_MS.most;
      this.#log.write('warn', `worker ${worker.pid} ended and is replaced`, { pid: worker.pid });
      this.#revive(generation, soon ? failures + 1 : 0);
    });
  }

  /** The first try is at once: one request that crashes a worker must not cost the others more than that. */
  #revive(generation: Generation, failures: number): void {
    const pause = failures <= 1 ? 0 : Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** (failures - 2));
    setTimeout(() => {
      if (!generation.current) return;
      const worker = new WorkerProcess(this.#options);
      worker.start(generation.models).then(
        () => {
          if (!generation.current) {
            worker.close();
            return;
          }
          generation.workers.add(worker);
          this.#watch(worker, generation, failures);
          this.#onRoom();
        },
        (error: unknown) => {
          this.#log.write('error', `a worker could not be started: ${String(error)}`);
          this.#revive(generation, failures + 1);
        },
      );
    }, pause).unref();
  }
}
