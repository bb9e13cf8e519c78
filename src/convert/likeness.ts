import { argMax } from '../base/numbers.ts';

/** The numbers of an output, [samples, ...]. */
export interface OutputValues {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly number[];
  /** Labels, indexes and flags are compared by equality: half a class is no smaller an error than two. */
  readonly isInteger: boolean;
}

/** Likeness of an output of one file to that of another on the same samples. */
export interface OutputLikeness {
  readonly output: string;
  /**
   * Signal to quantization noise: power of the reference over the power of the difference, in dB; Infinity where there is no
   * difference, -Infinity where one of them is no number. Of integers null.
   */
  readonly sqnrDb: number | null;
  /**
   * The same for what differs between samples: power of the reference about its mean over the samples. Where an output is
   * mostly a constant, as temperatures in kelvin are, it alone tells whether a file still says anything. Null where nothing
   * differs, and of integers.
   */
  readonly variationDb: number | null;
  /**
   * Part of the output in which the error is larger than what differs between samples, as scores beside boxes in pixels; null where there
   * is none, or where that holds for all of it.
   */
  readonly lost: LostPlaces | null;
  /** Largest difference, as a share of the range that the reference takes. Of integers null. */
  readonly relativeError: number | null;
  readonly largestError: number;
  /** Share of samples with the same class, of scores [samples, classes]; share of equal values, of integers; else null. */
  readonly top1Agreement: number | null;
}

/** Places along an axis of an output. */
interface LostPlaces {
  readonly axis: number;
  readonly places: readonly number[];
  /** Length of the axis. */
  readonly of: number;
  /** Root of the mean square of the error at the place where that is largest. */
  readonly error: number;
}

/** Adds up batch after batch of one output. */
export class LikenessTally {
  readonly #output: string;
  /** Number of classes, for scores [samples, classes]. */
  readonly #classes: number | undefined;
  #signal = 0;
  #noise = 0;
  #largest = 0;
  /** Sum of each number of a sample over all samples, of its square, and of the square of its error. */
  #sums = new Float64Array();
  #powers = new Float64Array();
  #errors = new Float64Array();
  #sampleShape: readonly number[] = [];
  #samples = 0;
  #isInteger = false;
  #min = Infinity;
  #max = -Infinity;
  #equal = 0;
  #compared = 0;

  constructor(output: string, classes?: number) {
    this.#output = output;
    this.#classes = classes;
  }

  add(expected: OutputValues, actual: OutputValues): void {
    const [a, b] = [expected.data, actual.data];
    if (a.length !== b.length) this.#noise = Infinity;
    this.#isInteger = expected.isInteger;
    for (let i = 0; i < a.length; i++) this.#addValue(a[i]!, b[i] ?? NaN);
    this.#addSums(expected, actual);
    const classes = this.#classes;
    if (expected.isInteger) {
      this.#compared += a.length;
      for (let i = 0; i < a.length; i++) if (a[i] === b[i]) this.#equal++;
    } else if (classes !== undefined && a.length % classes === 0 && a.length === b.length) {
      this.#compared += a.length / classes;
      for (let from = 0; from < a.length; from += classes)
        if (argMax(a, from, classes) === argMax(b, from, classes)) this.#equal++;
    }
  }

  #addValue(a: number, b: number): void {
    // Infinity minus infinity is no number, and no difference.
    const difference = Object.is(a, b) || a === b ? 0 : Math.abs(a - b);
    // NaN compares false with everything: it must not pass as no difference.
    if (!(difference <= this.#largest)) this.#largest = Number.isNaN(difference) ? Infinity : difference;
    this.#noise += Number.isNaN(difference) ? Infinity : difference * difference;
    if (!Number.isFinite(a)) return;
    this.#signal += a * a;
    this.#min = Math.min(this.#min, a);
    this.#max = Math.max(this.#max, a);
  }

  #addSums({ data, shape }: OutputValues, { data: given }: OutputValues): void {
    const samples = shape[0] ?? 1;
    const each = data.length / samples;
    if (this.#sums.length === 0) {
      [this.#sums, this.#powers, this.#errors] = [
        new Float64Array(each),
        new Float64Array(each),
        new Float64Array(each),
      ];
      this.#sampleShape = shape.slice(1);
    }
    this.#samples += samples;
    if (each !== this.#sums.length) return;
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (!Number.isFinite(value)) continue;
      this.#sums[i % each]! += value;
      this.#powers[i % each]! += value * value;
      this.#errors[i % each]! += (value - (given[i] ?? NaN)) ** 2;
    }
  }

  /** Of the axes with lost places, the one with the smallest share of them. */
  #lost(): LostPlaces | null {
    const found = this.#sampleShape.flatMap((of, i) => {
      const { places, error } = this.#lostAlong(i);
      return places.length === 0 || places.length === of ? [] : [{ axis: i + 1, places, of, error }];
    });
    return found.sort((a, b) => a.places.length / a.of - b.places.length / b.of)[0] ?? null;
  }

  #lostAlong(axis: number): Pick<LostPlaces, 'places' | 'error'> {
    const of = this.#sampleShape[axis]!;
    const inner = this.#sampleShape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const [varied, errors] = [new Float64Array(of), new Float64Array(of)];
    for (let i = 0; i < this.#sums.length; i++) {
      const place = Math.floor(i / inner) % of;
      varied[place]! += this.#powers[i]! - this.#sums[i]! ** 2 / this.#samples;
      errors[place]! += this.#errors[i]!;
    }
    // Next to the whole output the rounding of float32 is nothing, and a place where nothing differs has nothing to lose.
    const nothing = (1e-10 * this.#signal) / of;
    const places = [...varied.keys()].filter((i) => varied[i]! > 0 && errors[i]! > Math.max(varied[i]!, nothing));
    const largest = places.reduce((most, i) => Math.max(most, errors[i]!), 0);
    return { places, error: Math.sqrt((largest * of) / (this.#samples * this.#sums.length)) };
  }

  /** Power about the mean over the samples; what float64 cannot tell from nothing is nothing. */
  #variation(): number {
    const mean = this.#sums.reduce((power, sum) => power + (sum * sum) / this.#samples, 0);
    const about = this.#signal - mean;
    return about > 1e-9 * this.#signal ? about : 0;
  }

  result(): OutputLikeness {
    const variation = this.#variation();
    const range = this.#max > this.#min ? this.#max - this.#min : Math.abs(this.#max);
    const isSame = this.#noise === 0;
    const sqnrDb = isSame ? Infinity : 10 * Math.log10(this.#signal / this.#noise);
    const relativeError = isSame ? 0 : Number.isFinite(range) && range > 0 ? this.#largest / range : Infinity;
    return {
      output: this.#output,
      sqnrDb: this.#isInteger ? null : sqnrDb,
      variationDb:
        this.#isInteger || variation === 0 ? null : isSame ? Infinity : 10 * Math.log10(variation / this.#noise),
      lost: this.#isInteger || variation < this.#noise ? null : this.#lost(),
      relativeError: this.#isInteger ? null : relativeError,
      largestError: this.#largest,
      top1Agreement: this.#compared === 0 ? null : this.#equal / this.#compared,
    };
  }
}

/** Decibels by which a file without corrected biases must have less noise to be kept instead, where the classes do not decide. */
export const CLEARLY_DB = 0.5;

/** Signal to noise of the output that has the least, in dB. */
export function leastDb(outputs: readonly OutputLikeness[]): number {
  return Math.min(...outputs.map(({ sqnrDb }) => sqnrDb ?? Infinity));
}
