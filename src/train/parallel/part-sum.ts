import { addUp } from './add-up.ts';
import { EXTREME, isForUpdate } from '../step/gradient.ts';
import { scalars } from '../step/steps.ts';
import type { StepValues } from '../step/steps.ts';

const MERGES: Readonly<Record<string, (sum: Float32Array, next: Float32Array) => void>> = {
  [EXTREME.lowest]: (sum, next) => sum.forEach((value, i) => (sum[i] = Math.min(value, next[i]!))),
  [EXTREME.highest]: (sum, next) => sum.forEach((value, i) => (sum[i] = Math.max(value, next[i]!))),
};

/** Partial sum of at least 2^level parts. */
interface Waiting {
  level: number;
  readonly isFirst: boolean;
  readonly sums: Map<string, Float32Array>;
}

/**
 * Sum of each result over the parts of a batch in float32; observed minima and maxima are merged instead. Parts are added in their order, or in pairs
 * and pairs of pairs: then other processes can add up halves, quarters, … with the same bits.
 */
export class PartSum {
  readonly #inPairs: boolean;
  /** Memory for the final sums, by the name of the result. */
  readonly #home: StepValues;
  /** Sums that wait for another sum of the same number of parts. */
  readonly #waiting: Waiting[] = [];
  /** Memory for reuse. */
  readonly #free: Waiting[] = [];

  /** `home`: memory that receives the sums of these results. A part that lies in it already is not copied. */
  constructor(order: 'one by one' | 'in pairs', home: StepValues = {}) {
    [this.#inPairs, this.#home] = [order === 'in pairs', home];
  }

  /** Starts a new sum; memory is reused. */
  clear(): void {
    this.#free.push(...this.#waiting.splice(0));
  }

  add(results: StepValues): void {
    const last = this.#waiting.at(-1);
    if (last !== undefined && (!this.#inPairs || last.level === 0)) {
      for (const [name, values] of Object.entries(results))
        this.#merge(name, last.sums.get(name)!, values as Float32Array);
      last.level++;
    } else this.#waiting.push(this.#filled(results));
    while (this.#inPairs && this.#waiting.at(-1)!.level === this.#waiting.at(-2)?.level) this.#mergeLast();
  }

  /** The sums, after all parts were added. */
  get values(): StepValues {
    while (this.#waiting.length > 1) this.#mergeLast();
    return Object.fromEntries(this.#waiting[0]?.sums ?? []);
  }

  #mergeLast(): void {
    const newer = this.#waiting.pop()!;
    const older = this.#waiting.at(-1)!;
    for (const [name, values] of newer.sums) this.#merge(name, older.sums.get(name)!, values);
    older.level++;
    this.#free.push(newer);
  }

  #merge(name: string, sum: Float32Array, next: Float32Array): void {
    const merge = MERGES[name.slice(0, name.indexOf('/') + 1)];
    if (merge === undefined) addUp(sum, next, sum);
    else merge(sum, next);
  }

  #filled(results: StepValues): Waiting {
    // The first part's memory becomes the final sum; others are added to it.
    const isFirst = this.#waiting.length === 0;
    const at = this.#free.findIndex((memory) => memory.isFirst === isFirst);
    const memory = at === -1 ? undefined : this.#free.splice(at, 1)[0];
    const sums = new Map<string, Float32Array>();
    for (const [name, values] of Object.entries(results)) {
      const room = (isFirst ? (this.#home[name] as Float32Array | undefined) : undefined) ?? memory?.sums.get(name);
      if (room?.length === values.length && room !== values) room.set(values as Float32Array);
      sums.set(name, room?.length === values.length ? room : (values.slice() as Float32Array));
    }
    return { level: 0, isFirst, sums };
  }
}

/** The sums that the update is fed. */
export function forUpdate(sums: StepValues): StepValues {
  return Object.fromEntries(Object.entries(sums).filter(([name]) => isForUpdate(name)));
}

/** Loss and score sums of the batch. */
export function figuresOf(sums: StepValues): Readonly<Record<string, number>> {
  return scalars(Object.fromEntries(Object.entries(sums).filter(([name]) => !isForUpdate(name))));
}
