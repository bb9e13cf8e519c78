import { EXTREME, isForUpdate } from './gradient.ts';
import { scalars } from './steps.ts';
import type { Values } from './steps.ts';

const MERGES: Readonly<Record<string, (sum: Float32Array, next: Float32Array) => void>> = {
  [EXTREME.lowest]: (sum, next) => sum.forEach((value, i) => (sum[i] = Math.min(value, next[i]!))),
  [EXTREME.highest]: (sum, next) => sum.forEach((value, i) => (sum[i] = Math.max(value, next[i]!))),
};

/** Sum of each result over the parts of a batch, in float32 and in the order in which parts are added; of extremes the extreme. */
export class PartSum {
  readonly #sums = new Map<string, Float32Array>();
  #isEmpty = true;

  /** Begins anew; memory is kept. */
  clear(): void {
    this.#isEmpty = true;
  }

  add(results: Values): void {
    for (const [name, values] of Object.entries(results)) {
      const next = values as Float32Array;
      const sum = this.#sums.get(name);
      if (sum === undefined) this.#sums.set(name, next.slice());
      else if (this.#isEmpty) sum.set(next);
      else (MERGES[name.slice(0, name.indexOf('/') + 1)] ?? added)(sum, next);
    }
    this.#isEmpty = false;
  }

  /** All sums. */
  get values(): Values {
    return Object.fromEntries(this.#sums);
  }

  /** Feeds of the update. */
  get forUpdate(): Values {
    return this.#named(isForUpdate);
  }

  /** Loss and hits of the batch. */
  get figures(): Readonly<Record<string, number>> {
    return scalars(this.#named((name) => !isForUpdate(name)));
  }

  #named(isWanted: (name: string) => boolean): Values {
    return Object.fromEntries([...this.#sums].filter(([name]) => isWanted(name)));
  }
}

function added(sum: Float32Array, next: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += next[i]!;
}
