import { staticSize } from '../../graph/shapes.ts';
import type { TensorType } from '../../graph/types.ts';
import type { StepValues } from '../step/steps.ts';

export interface SliceOptions {
  /** Slices of a turn, one for each process. */
  readonly count: number;
  /** Most elements of a slice: where that is not enough there are several turns. Default: no limit. */
  readonly most?: number;
  /** Number that the elements of a slice are a multiple of. Default: 1. */
  readonly multipleOf?: number;
  /** Number that the first element of each result is a multiple of. Default: 1. */
  readonly startsAt?: number;
}

/** Elements of a result, from `from` up to but without `to`, and the element of an array where the first of them is. */
export interface ResultRange {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/**
 * Results of a step in one array, cut into turns, and each turn into slices of one width: [turns, count, width]. The last ones have room to
 * spare. All values are float32.
 */
export class Slices {
  readonly turns: number;
  /** Elements of a slice. */
  readonly width: number;
  readonly #places: readonly { readonly name: string; readonly first: number; readonly end: number }[];

  constructor(
    outputs: ReadonlyMap<string, Pick<TensorType, 'shape'>>,
    { count, most = Infinity, multipleOf = 1, startsAt = 1 }: SliceOptions,
  ) {
    let next = 0;
    this.#places = [...outputs].map(([name, { shape }]) => {
      const first = Math.ceil(next / startsAt) * startsAt;
      next = first + staticSize(shape);
      return { name, first, end: next };
    });
    const width = Math.min(most, Math.ceil(next / count));
    this.width = multipleOf * Math.ceil(width / multipleOf);
    this.turns = Math.ceil(next / (count * this.width));
  }

  /**
   * Puts results into `array`, which is all of them from element `start` on. Each is given whole, of which the part is taken that lies there;
   * or is that part already, as `read` gives it.
   */
  write(values: StepValues, array: Float32Array, start = 0): void {
    for (const { name, first, end } of this.#within(array, start)) {
      const all = values[name] as Float32Array;
      const [from, to] = [Math.max(first, start), Math.min(end, start + array.length)];
      array.set(all.length === end - first ? all.subarray(from - first, to - first) : all, from - start);
    }
  }

  /** The results that lie in `array`, which is all of them from element `start` on: of those at its ends a part. No copies. */
  read(array: Float32Array, start = 0): StepValues {
    const found = this.#within(array, start).map(({ name, first, end }) => {
      return [name, array.subarray(Math.max(first - start, 0), end - start)] as const;
    });
    return Object.fromEntries(found);
  }

  /** Parts of results in an array of `length` elements, which holds all results from element `start` on. */
  parts(start: number, length: number): readonly ResultRange[] {
    return this.#places
      .filter(({ first, end }) => end > start && first < start + length)
      .map(({ name, first, end }) => {
        const from = Math.max(first, start);
        return { name, from: from - first, to: Math.min(end, start + length) - first, at: from - start };
      });
  }

  #within({ length }: Float32Array, start: number) {
    return this.#places.filter(({ first, end }) => end > start && first < start + length);
  }
}
