/** Share of the latest gap in the mean: about the last sixteen requests count. */
const NEWEST = 1 / 16;

/** How often requests come, from the gaps between them. */
export class Arrivals {
  #mean = Infinity;
  #last = -Infinity;

  add(nowMs: number): void {
    const gap = nowMs - this.#last;
    this.#last = nowMs;
    if (!Number.isFinite(gap)) return;
    this.#mean = Number.isFinite(this.#mean) ? this.#mean + NEWEST * (gap - this.#mean) : gap;
  }

  /** Mean milliseconds between two requests; silence since the last one counts where it is longer. */
  gapMs(nowMs: number): number {
    return Math.max(this.#mean, nowMs - this.#last);
  }
}
