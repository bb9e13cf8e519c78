import { Worker } from 'node:worker_threads';
import { entryBeside } from '../../base/process/entry.ts';
import { UserError } from '../../base/errors.ts';
import { batchCount, batches } from './batches.ts';
import type { Batch, BatchOptions } from './batches.ts';
import { countOfElements } from '../dataset.ts';
import type { Dataset } from '../dataset.ts';
import { sendable } from '../storage/sample-storage.ts';
import { CONTROL } from './prefetch-protocol.ts';
import type { FromPrefetcher, PrefetchJob, LeftBatch, WorkerError, WorkerSetup } from './prefetch-protocol.ts';

export interface PrefetchOptions {
  /** Number of worker threads; 0 makes batches in this thread. One worker makes 128 augmented 28×28 images in 0.5 ms. Default 1. */
  readonly workers?: number | undefined;
  /** Batches ready or in the making, in all workers together. Default 4. */
  readonly depth?: number | undefined;
}

export interface EpochOptions extends Omit<BatchOptions, 'reuse'> {
  /**
   * Number of batches that the reader uses at once: `x` of older batches is overwritten. (New memory for every batch makes V8's garbage collector go
   * through all objects every few steps.) Default: each batch has memory of its own.
   */
  readonly needed?: number | undefined;
}

/**
 * Worker threads that make the batches of a data set ahead of the reader: a training step blocks the event loop, and the next batch is ready when it
 * ends. Gives the batches of `batches()`, in order and byte for byte. Workers share the data set and the memory of batches; each batch is copied
 * once, because ONNX Runtime takes no shared memory. Close it after use.
 */
export class Prefetcher {
  /** `inline`: without worker threads, batches are made on request. */
  readonly mode: 'workers' | 'inline';
  readonly #dataset: Dataset;
  readonly #lanes: Lane[];
  #job = 0;

  constructor(dataset: Dataset, { workers = 1, depth = 4 }: PrefetchOptions = {}) {
    const entry = entryBeside(import.meta.url, 'prefetch-worker');
    this.#dataset = dataset;
    // Workers do not need the picture files and the teacher's samples.
    const sent = sendable({ ...dataset, originals: undefined, forTeacher: undefined });
    this.mode = workers > 0 && entry !== undefined ? 'workers' : 'inline';
    const step = this.mode === 'workers' ? workers : 0;
    const ahead = Math.max(1, Math.ceil(depth / workers));
    this.#lanes = Array.from({ length: step }, (_, first) => new Lane(entry!, { dataset: sent, first, step, ahead }));
  }

  /** The batches of one epoch, from `startBatch` on. Only one epoch can be read at a time: a call ends the epoch before. */
  epoch({ needed = Infinity, ...options }: EpochOptions): AsyncGenerator<Batch, void, undefined> {
    const job = ++this.#job;
    const largest = Math.min(options.batchSize, this.#dataset.count) * countOfElements(this.#dataset.sampleShape);
    // Begin before the first batch is requested: compiling a step takes longer than filling the queue.
    for (const lane of this.#lanes) lane.begin(job, options, largest);
    return this.mode === 'inline' ? this.#inline(options) : this.#read(job, options, needed);
  }

  // oxlint-disable-next-line typescript/require-await -- callers get one type, with and without workers
  async *#inline(options: BatchOptions): AsyncGenerator<Batch, void, undefined> {
    yield* batches(this.#dataset, options);
  }

  async *#read(job: number, options: BatchOptions, needed: number): AsyncGenerator<Batch, void, undefined> {
    const start = options.startBatch ?? 0;
    const count = batchCount(this.#dataset.count, options.batchSize);
    const memory: Float32Array[] = [];
    try {
      for (let index = start; index < count; index++) {
        if (job !== this.#job) throw new Error('prefetch: this epoch was ended by the start of another or by close()');
        const x = memory.length < needed ? undefined : memory.shift();
        const batch = await this.#lanes[(index - start) % this.#lanes.length]!.take(x);
        if (needed < Infinity) memory.push(batch.x);
        yield batch;
      }
    } finally {
      if (job === this.#job) for (const lane of this.#lanes) lane.cancel();
    }
  }

  /** Number of batches that wait to be read. */
  get ready(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.ready, 0);
  }

  /** Ends the worker threads. */
  async close(): Promise<void> {
    this.#job++;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}

/** One epoch with workers that end with it, for short use; a `Prefetcher` serves many epochs. */
export async function* prefetch(
  dataset: Dataset,
  { workers, depth, ...options }: EpochOptions & PrefetchOptions,
): AsyncGenerator<Batch, void, undefined> {
  const prefetcher = new Prefetcher(dataset, { workers, depth });
  try {
    yield* prefetcher.epoch(options);
  } finally {
    await prefetcher.close();
  }
}

/** The reader's handle of one worker. */
class Lane {
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(12));
  readonly #ahead: number;
  #slots: Float32Array[] = [];
  #taken = 0;
  #ready: LeftBatch[] = [];
  /** Error of the current job; the worker stays usable. */
  #failure: Error | undefined;
  /** Reason for the end of the worker. */
  #death: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(entry: string, setup: Omit<WorkerSetup, 'control'>) {
    this.#ahead = setup.ahead;
    const workerData: WorkerSetup = { ...setup, control: this.#control };
    this.#worker = new Worker(entry, { workerData });
    // A process that forgets to close the prefetcher can still exit; only a pending request keeps it alive.
    this.#worker.unref();
    this.#worker.on('message', (message: FromPrefetcher) => {
      if (message.job !== Atomics.load(this.#control, CONTROL.job)) return;
      if ('batch' in message) this.#ready.push(message.batch);
      else this.#failure = revive(message.error);
      this.#wake?.();
    });
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => this.#die(new Error(`prefetch: a worker thread ended (exit code ${code})`)));
  }

  get ready(): number {
    return this.#ready.length;
  }

  /** `largest`: number of elements of a whole batch. */
  begin(job: number, options: BatchOptions, largest: number): void {
    this.#ready = [];
    this.#failure = undefined;
    if ((this.#slots[0]?.length ?? 0) < largest)
      this.#slots = Array.from(
        { length: this.#ahead },
        () => new Float32Array(new SharedArrayBuffer(Float32Array.BYTES_PER_ELEMENT * largest)),
      );
    this.#taken = 0;
    this.#set(CONTROL.taken, 0);
    this.#set(CONTROL.job, job);
    const message: PrefetchJob = { job, options, slots: this.#slots };
    this.#worker.postMessage(message);
  }

  /** Returns the next batch, in `memory` if that is large enough. */
  async take(memory?: Float32Array): Promise<Batch> {
    while (this.#ready.length === 0) {
      const error = this.#death ?? this.#failure;
      if (error !== undefined) throw error;
      this.#worker.ref();
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
      this.#worker.unref();
    }
    const batch = this.#ready.shift()!;
    const slot = this.#slots[this.#taken % this.#ahead]!;
    const size = batch.shape.reduce((product, length) => product * length, 1);
    const x = memory !== undefined && memory.length >= size ? memory.subarray(0, size) : new Float32Array(size);
    x.set(slot.length === size ? slot : slot.subarray(0, size));
    this.#set(CONTROL.taken, ++this.#taken);
    return { ...batch, x };
  }

  cancel(): void {
    this.#ready = [];
    this.#set(CONTROL.job, 0);
  }

  async close(): Promise<void> {
    this.cancel();
    this.#die(new Error('prefetch: closed'));
    await this.#worker.terminate();
  }

  #die(error: Error): void {
    this.#death ??= error;
    this.#wake?.();
  }

  #set(cell: number, value: number): void {
    Atomics.store(this.#control, cell, value);
    Atomics.add(this.#control, CONTROL.changes, 1);
    Atomics.notify(this.#control, CONTROL.changes);
  }
}

function revive({ name, message, stack, hint }: WorkerError): Error {
  if (hint !== undefined) return new UserError(message, hint);
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
