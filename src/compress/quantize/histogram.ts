/** Bins on each side of 0: of a range, whatever it is, at least eight for each of the 256 levels of int8. */
const SIDE = 4096;

/**
 * Distribution of the values that an activation took. Zeros are counted apart: every quantizer here stores 0 exactly, so they say nothing
 * about the range, and after a ReLU they would outnumber everything else.
 */
export interface Histogram {
  /** Smallest and largest value, 0 included. */
  readonly min: number;
  readonly max: number;
  /** Values by size: bin i holds those from start + i · width on. Empty where all values are 0. */
  readonly bins: Float64Array;
  readonly start: number;
  readonly width: number;
}

export interface ActivationRange {
  readonly min: number;
  readonly max: number;
}

const EVERYTHING: ActivationRange = { min: -Infinity, max: Infinity };

/**
 * Counts values whose range is not known before. The width of the bins is a power of two, and bins begin at its multiples: they are joined in pairs
 * where a value lies beyond them, so the result is that of bins which were as wide from the first value on, whatever the order of the values.
 */
export class HistogramBuilder {
  readonly #limits: ActivationRange;
  #bins = new Float64Array(2 * SIDE);
  #width = 0;
  #min = 0;
  #max = 0;

  /** Values beyond `limits` count as if they were at the limit. */
  constructor(limits = EVERYTHING) {
    this.#limits = limits;
  }

  /** Counts values, zeros excepted; false if one is infinite or no number. */
  add(values: Float32Array): boolean {
    const { min: low, max: high } = this.#limits;
    let [min, max, bins, scale, end] = [this.#min, this.#max, this.#bins, 1 / this.#width, SIDE * this.#width];
    // Indices and no iterator: all values of all samples pass here, and that is half of a calibration's time.
    for (let i = 0; i < values.length; i++) {
      const given = values[i]!;
      // NaN for infinite values and NaN.
      if (given - given !== 0) return false;
      const value = given < low ? low : given > high ? high : given;
      if (value === 0) continue;
      if (value >= end || value <= -end) {
        this.#widen(Math.abs(value));
        [bins, scale, end] = [this.#bins, 1 / this.#width, SIDE * this.#width];
      }
      bins[Math.floor(value * scale) + SIDE]!++;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    [this.#min, this.#max] = [min, max];
    return true;
  }

  result(): Histogram {
    const [min, max, width] = [this.#min, this.#max, this.#width];
    const isUsed = (count: number): boolean => count > 0;
    const first = Math.max(0, this.#bins.findIndex(isUsed));
    const bins = this.#bins.slice(first, this.#bins.findLastIndex(isUsed) + 1);
    return { min, max, bins, start: (first - SIDE) * width, width };
  }

  /** Makes room for values of less than SIDE widths. */
  #widen(size: number): void {
    if (this.#width === 0) this.#width = 2 ** (Math.floor(Math.log2(size / SIDE)) - 1);
    for (; size >= SIDE * this.#width; this.#width *= 2) {
      const joined = new Float64Array(2 * SIDE);
      this.#bins.forEach((count, bin) => (joined[SIDE / 2 + (bin >> 1)]! += count));
      this.#bins = joined;
    }
  }
}
