import { Worker } from 'node:worker_threads';
import { entryBeside } from '../../base/entry.ts';
import { UserError } from '../../base/errors.ts';
import { batchCount, batches } from './batches.ts';
import type { Batch, BatchOptions } from './batches.ts';
import { countOfElements } from '../dataset.ts';
import type { Dataset } from '../dataset.ts';
import { sendable } from '../storage/sample-storage.ts';
import { CONTROL } from './prefetch-protocol.ts';
import type { FromPrefetcher, PrefetchJob, LeftBatch, WorkerError, WorkerSetup } from './prefetch-protocol.ts';

export interface PrefetchOptions {
  /** Worker threads; 0 makes the batches in this thread. One makes 128 augmented 28×28 images in 0.5 ms. Default 1. */
  readonly workers?: number | undefined;
  /** Batches that are ready or in the making, all workers together. Default 4. */
  readonly depth?: number | undefined;
}

export interface EpochOptions extends Omit<BatchOptions, 'reuse'> {
  /**
   * Number of batches that the reader needs at once: `x` of an older one is overwritten. New memory for every batch makes V8's collector go
   * through all objects every few steps. Default: each batch has its own.
   */
  readonly needed?: number | undefined;
}

/**
 * Worker threads that make the batches of one data set ahead of the reader: a training step blocks the event loop while it runs, and the
 * next batch is there when it ends. Batches are those of `batches()`, in order and byte for byte. The data set is shared with the workers,
 * and so is the memory that they make batches in, of which each is copied once: ONNX Runtime takes no shared memory. Close it when done.
 */
export class Prefetcher {
  /** `inline`: no worker threads, batches are made when they are asked for. */
  readonly mode: 'workers' | 'inline';
  readonly #dataset: Dataset;
  readonly #lanes: Lane[];
  #job = 0;

  constructor(dataset: Dataset, { workers = 1, depth = 4 }: PrefetchOptions = {}) {
    const entry = entryBeside(import.meta.url, 'prefetch-worker');
    this.#dataset = dataset;
    // Batches are made of samples alone.
    const sent = sendable({ ...dataset, originals: undefined, forTeacher: undefined });
    this.mode = workers > 0 && entry !== undefined ? 'workers' : 'inline';
    const step = this.mode === 'workers' ? workers : 0;
    const ahead = Math.max(1, Math.ceil(depth / workers));
    this.#lanes = Array.from({ length: step }, (_, first) => new Lane(entry!, { dataset: sent, first, step, ahead }));
  }

  /** The batches of one epoch, from `startBatch` on. Only one epoch can be read at a time: the next call ends the one before. */
  epoch({ needed = Infinity, ...options }: EpochOptions): AsyncGenerator<Batch, void, undefined> {
    const job = ++this.#job;
    const largest = Math.min(options.batchSize, this.#dataset.count) * countOfElements(this.#dataset.sampleShape);
    // Begin now, not when the first batch is asked for: compiling a step takes longer than filling the queue.
    for (const lane of this.#lanes) lane.begin(job, options, largest);
    return this.mode === 'inline' ? this.#inline(options) : this.#read(job, options, needed);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- callers get one type, with and without workers
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

  /** Batches that have arrived and wait to be read. */
  get ready(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.ready, 0);
  }

  /** End of the worker threads; resolves when they are gone. */
  async close(): Promise<void> {
    this.#job++;
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}

/** One epoch with its own workers, which end with it: for short use; keep a `Prefetcher` for many epochs. */
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

/** The reader's side of one worker. */
class Lane {
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(12));
  readonly #ahead: number;
  #slots: Float32Array[] = [];
  #taken = 0;
  #ready: LeftBatch[] = [];
  /** Failure of this job; the worker stays usable. */
  #failure: Error | undefined;
  /** Reason why the worker ended. */
  #death: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(entry: string, setup: Omit<WorkerSetup, 'control'>) {
    this.#ahead = setup.ahead;
    const workerData: WorkerSetup = { ...setup, control: this.#control };
    this.#worker = new Worker(entry, { workerData });
    // Someone who forgets to close must still be able to leave; while a batch is awaited the worker holds the process.
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

  /** `largest`: elements of the samples of a whole batch. */
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

  /** The next batch, in `memory` if that is enough for it. */
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
