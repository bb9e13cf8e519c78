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
