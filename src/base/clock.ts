/** Milliseconds from an arbitrary origin, monotonic: for durations. */
export function monotonicMs(): number {
  return performance.now();
}

/** The current time in UTC (ISO 8601), for records that people read; never for training. */
export function timestamp(): string {
  return new Date().toISOString();
}

/** Seconds since 1970, for files and services that date their entries. */
export function epochSeconds(): number {
  return Date.now() / 1000;
}

/** Milliseconds for which a part of some work is timed: 0.7 s, or up to 2 s where that is a twentieth of the whole. */
export function timedFor(wholeMs: number): number {
  return Math.min(2000, Math.max(700, wholeMs / 20));
}

/** Saving may take this part of the time, at most, where states are large. */
const SAVING_SHARE = 1 / 20;

/** Tells when a state should be saved again: after an interval that grows with what the last save took. */
export class SaveTimer {
  readonly #everyMs: number;
  #savedAt = monotonicMs();
  #tookMs = 0;

  /** `everyMs`: the interval while saving is quick; 0: a save at every question. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** `sooner`: part of the interval that is enough at a good moment. */
  isDue(sooner = 1): boolean {
    const least = this.#everyMs === 0 ? 0 : this.#tookMs / SAVING_SHARE;
    return monotonicMs() - this.#savedAt > Math.max(this.#everyMs * sooner, least);
  }

  async save(write: () => Promise<void>): Promise<void> {
    const start = monotonicMs();
    await write();
    this.#savedAt = monotonicMs();
    this.#tookMs = this.#savedAt - start;
  }
}

/** Adds up the time that the reader of a sequence waits for its items. */
export class Stopwatch {
  #ms = 0;

  get seconds(): number {
    return this.#ms / 1000;
  }

  /** The same sequence; counts the time from requesting an item to receiving it. */
  async *timed<T>(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const start = monotonicMs();
        const next = await iterator.next();
        this.#ms += monotonicMs() - start;
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
}
