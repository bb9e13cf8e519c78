import type { WireTensor } from '../types.ts';

/** A request for one model, its inputs in the model's order. */
export interface InferRequest {
  readonly inputs: readonly WireTensor[];
  /** Names of the outputs to answer with. */
  readonly outputs: readonly string[];
  /** Samples; 1 for a model that takes no batches. */
  readonly samples: number;
  /** 1 is served first; 0: the lowest. */
  readonly priority: number;
  /** Milliseconds from arrival; replaces the server's `maxLatencyMs`. */
  readonly timeoutMs?: number | undefined;
  readonly client?: Client | undefined;
}

/** Client of a request; an `AbortSignal` is one. A plain object costs less to make for each request. */
export interface Client {
  /** True when nobody waits for the answer any more. */
  readonly aborted: boolean;
}

export interface InferAnswer {
  readonly outputs: readonly WireTensor[];
}

export interface Waiting {
  readonly request: InferRequest;
  /** Requests of one group can be run in one call. */
  readonly group: string;
  readonly arrivedMs: number;
  readonly deadlineMs: number;
  /** True after a call with this request failed: it then runs alone, once more. */
  readonly again: boolean;
  readonly resolve: (answer: InferAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Requests of one model in the order in which they are to be served. */
export class RequestQueue {
  readonly #levels: Waiting[][];
  #requests = 0;
  #samples = 0;

  constructor(priorityLevels: number) {
    // The last one is for requests that were too late and are answered when nothing else waits.
    this.#levels = Array.from({ length: priorityLevels + 1 }, () => []);
  }

  get requests(): number {
    return this.#requests;
  }

  get samples(): number {
    return this.#samples;
  }

  get first(): Waiting | undefined {
    return this.#levels.find((level) => level.length > 0)?.[0];
  }

  add(waiting: Waiting): void {
    const lowest = this.#levels.length - 2;
    const { priority } = waiting.request;
    this.#levels[priority === 0 ? lowest : Math.min(priority - 1, lowest)]!.push(waiting);
    this.#count([waiting], 1);
  }

  /** Puts requests before all others. */
  addFirst(waiting: readonly Waiting[]): void {
    this.#levels[0]!.unshift(...waiting);
    this.#count(waiting, 1);
  }

  addLast(waiting: Waiting): void {
    this.#levels.at(-1)!.push(waiting);
    this.#count([waiting], 1);
  }

  /**
   * Requests that can run with the first one, in order, up to `most` samples; the first one whatever its size. `full`: true if there is
   * nothing to wait for, since no other one would fit.
   */
  together(most: number): { readonly found: readonly Waiting[]; readonly full: boolean } {
    const { first } = this;
    if (first === undefined) return { found: [], full: false };
    const found = [first];
    let samples = first.request.samples;
    if (first.again || samples >= most) return { found, full: true };
    for (const level of this.#levels) {
      for (const other of level) {
        if (other === first || other.again || other.group !== first.group) continue;
        if (samples + other.request.samples > most) return { found, full: true };
        found.push(other);
        samples += other.request.samples;
        if (samples === most) return { found, full: true };
      }
    }
    return { found, full: false };
  }

  /** All of `gone` must be in here. */
  remove(gone: readonly Waiting[]): void {
    if (gone.length === 0) return;
    const set = new Set(gone);
    for (const [i, level] of this.#levels.entries()) {
      if (level.length > 0) this.#levels[i] = level.filter((waiting) => !set.has(waiting));
    }
    this.#count(gone, -1);
  }

  filter(which: (waiting: Waiting) => boolean): Waiting[] {
    return this.#levels.flat().filter(which);
  }

  #count(changed: readonly Waiting[], sign: 1 | -1): void {
    this.#requests += sign * changed.length;
    for (const { request } of changed) this.#samples += sign * request.samples;
  }
}
