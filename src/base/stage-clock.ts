import { monotonicMs } from './clock.ts';

/** Divides elapsed time among stages: every moment belongs to one of them. */
export class StageClock {
  readonly #now: () => number;
  readonly #seconds = new Map<string, number>();
  #stage: string;
  #since: number;

  constructor(stage: string, now = monotonicMs) {
    [this.#stage, this.#now, this.#since] = [stage, now, now()];
  }

  enter(stage: string): void {
    this.#book();
    this.#stage = stage;
  }

  /** Seconds since the last `take`. */
  get untaken(): number {
    return [...this.#seconds.values()].reduce((sum, value) => sum + value, (this.#now() - this.#since) / 1000);
  }

  /** Seconds of each stage since the last `take`, in the order in which the stages were entered. */
  take(): Map<string, number> {
    this.#book();
    const snapshot = new Map(this.#seconds);
    this.#seconds.clear();
    return snapshot;
  }

  #book(): void {
    const now = this.#now();
    this.#seconds.set(this.#stage, (this.#seconds.get(this.#stage) ?? 0) + (now - this.#since) / 1000);
    this.#since = now;
  }
}
