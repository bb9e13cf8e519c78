/** Weight of what was seen before, at each new call: about the last fifty count. */
const MEMORY = 0.98;

export interface CallCost {
  /** Milliseconds that each further sample of a call adds. */
  readonly perSample: number;
  /** Milliseconds of a call besides. */
  readonly fixed: number;
}

/** The time of a call as a line over its number of samples, by least squares over what was measured, the latest most. */
export class CostLine {
  #weight = 0;
  #n = 0;
  #nn = 0;
  #ms = 0;
  #nms = 0;
  #cost: CallCost = { perSample: 0, fixed: 0 };

  add(samples: number, ms: number): void {
    this.#weight = this.#weight * MEMORY + 1;
    this.#n = this.#n * MEMORY + samples;
    this.#nn = this.#nn * MEMORY + samples * samples;
    this.#ms = this.#ms * MEMORY + ms;
    this.#nms = this.#nms * MEMORY + samples * ms;
    this.#cost = this.#fit();
  }

  get cost(): CallCost {
    return this.#cost;
  }

  /** Milliseconds that a call of so many samples is expected to take; 0 while nothing was measured. */
  of(samples: number): number {
    return samples === 0 ? 0 : this.#cost.fixed + this.#cost.perSample * samples;
  }

  #fit(): CallCost {
    const [n, ms] = [this.#n / this.#weight, this.#ms / this.#weight];
    const variance = this.#nn / this.#weight - n * n;
    // One size alone says nothing of the slope: what was known of it stays, scaled to what a call takes now.
    if (variance < 1e-6 * n * n) {
      const before = this.of(n);
      const factor = before > 0 ? ms / before : 0;
      if (factor === 0) return { perSample: ms / n, fixed: 0 };
      return { perSample: this.#cost.perSample * factor, fixed: this.#cost.fixed * factor };
    }
    const slope = (this.#nms / this.#weight - n * ms) / variance;
    const perSample = Math.min(Math.max(0, slope), ms / n);
    // Rounding can leave it a little below zero.
    return { perSample, fixed: Math.max(0, ms - perSample * n) };
  }
}
