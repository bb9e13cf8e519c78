import { Worker } from 'node:worker_threads';
import { isFlat } from '../json.ts';
import { Refusal } from '../refusal.ts';
import type { FailureReason } from '../refusal.ts';
import { jobs } from './jobs.ts';
import type { Found, Given, Jobs } from './jobs.ts';

export interface ReadingJob {
  readonly kind: keyof Jobs;
  readonly given: unknown;
}

export type ReadingOutcome =
  | { readonly found: unknown }
  | { readonly refusal: { readonly status: number; readonly message: string; readonly reason: FailureReason } }
  | { readonly bug: string };

/** Bytes that are read at once: a few milliseconds of JSON that is made to cost time. */
const SMALL = 2 ** 14;
/** The same of texts and sounds: a word of 16 KiB costs a tokenizer of byte pairs more than a second, one of 1 KiB some 5 ms. */
const SMALL_SAMPLES = 2 ** 10;
/** Bytes of JSON of little but numbers that are read at once: less than a millisecond, which the way to the thread and back costs too. */
const SMALL_NUMBERS = 2 ** 16;
/** Milliseconds for one body; the largest takes one or two seconds. */
const PATIENCE_MS = 10_000;
/** MiB of what is made of one body. */
const MOST_HEAP = 256;

interface Waiting {
  readonly job: ReadingJob;
  readonly settle: (outcome: ReadingOutcome | Error) => void;
}

/** Reads bodies into tensors: small ones at once, large ones one after another in a thread, which ends with a body that takes too long. */
export class Reader {
  readonly #entry: string;
  #thread: Worker | undefined;
  #waiting: Waiting[] = [];
  #current: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `entry`: the compiled `thread.js`. */
  constructor(entry: string) {
    this.#entry = entry;
  }

  /** `size`: bytes of the part that has to be parsed. `Refusal` for what is wrong with it. */
  async read<K extends keyof Jobs>(kind: K, given: Given<K>, size: number): Promise<Found<K>> {
    if (isSmall(kind, given.body, size)) return (await (jobs[kind] as (value: Given<K>) => unknown)(given)) as Found<K>;
    const outcome = await new Promise<ReadingOutcome>((resolve, reject) => {
      const settle = (told: ReadingOutcome | Error): void => (told instanceof Error ? reject(told) : resolve(told));
      this.#waiting.push({ job: { kind, given }, settle });
      this.#next();
    });
    if ('refusal' in outcome) throw new Refusal(outcome.refusal.status, outcome.refusal.message, outcome.refusal);
    if ('bug' in outcome) throw new Error(outcome.bug);
    return outcome.found as Found<K>;
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #next(): void {
    if (this.#current !== undefined || this.#waiting.length === 0) return;
    this.#current = this.#waiting.shift()!;
    this.#thread ??= this.#start();
    this.#timer = setTimeout(() => {
      this.#end(new Refusal(400, `the body was not read after ${PATIENCE_MS / 1000} s: send it in parts`));
    }, PATIENCE_MS);
    const { job } = this.#current;
    this.#thread.postMessage(job, handedOver(job));
  }

  #start(): Worker {
    const thread = new Worker(this.#entry, { resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP } });
    thread.unref();
    thread.on('message', (outcome: ReadingOutcome) => {
      if (this.#thread === thread) this.#settle(outcome);
    });
    thread.on('error', (error: Error & { code?: string }) => {
      if (this.#thread !== thread) return;
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#end(isMemory ? new Refusal(413, 'the body takes too much memory to read: send it in parts') : error);
    });
    return thread;
  }

  /** Another thread reads what waits. */
  #end(error: Error): void {
    void this.#thread?.terminate();
    this.#thread = undefined;
    this.#settle(error);
  }

  #settle(outcome: ReadingOutcome | Error): void {
    clearTimeout(this.#timer);
    const current = this.#current;
    this.#current = undefined;
    current?.settle(outcome);
    this.#next();
  }
}

function isSmall(kind: keyof Jobs, body: Uint8Array, size: number): boolean {
  if (kind === 'samples' || kind === 'sentences') return size <= SMALL_SAMPLES;
  if (size <= SMALL) return true;
  return (kind === 'request' || kind === 'numbers') && size <= SMALL_NUMBERS && isFlat(body.subarray(0, size));
}

/** The buffer of a body that has one of its own; a part of another one is copied. */
function handedOver({ given }: ReadingJob): ArrayBuffer[] {
  const { buffer, byteLength } = (given as { readonly body: Uint8Array }).body;
  return buffer.byteLength === byteLength ? [buffer as ArrayBuffer] : [];
}
