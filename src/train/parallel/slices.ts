import { staticSize } from '../../graph/shapes.ts';
import type { TensorType } from '../../graph/types.ts';
import type { StepValues } from '../step/steps.ts';

export interface SliceOptions {
  /** Slices of a turn, one for each process. */
  readonly count: number;
  /** Maximum elements of a slice; larger results take several turns. Default: unlimited. */
  readonly most?: number;
  /** The width of a slice is a multiple of this number. Default: 1. */
  readonly multipleOf?: number;
  /** The first element of each result is at a multiple of this number. Default: 1. */
  readonly startsAt?: number;
}

/** Elements `from` (inclusive) to `to` (exclusive) of a result, and the index of the first in a larger array. */
export interface ResultRange {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** Lays out the float32 results of a step in one array [turns, count, width]: turns of `count` slices. The last slices may be partly unused. */
export class Slices {
  readonly turns: number;
  /** Number of elements of a slice. */
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
   * Writes results into `array`, which holds the layout from element `start` on. A result is given whole, or as the part that belongs into `array`,
   * as `read` returns it.
   */
  write(values: StepValues, array: Float32Array, start = 0): void {
    for (const { name, first, end } of this.#within(array, start)) {
      const all = values[name] as Float32Array;
      const [from, to] = [Math.max(first, start), Math.min(end, start + array.length)];
      array.set(all.length === end - first ? all.subarray(from - first, to - first) : all, from - start);
    }
  }

  /** The results in `array`, which holds the layout from element `start` on; results at its ends are partial. Returns views. */
  read(array: Float32Array, start = 0): StepValues {
    const found = this.#within(array, start).map(({ name, first, end }) => {
      return [name, array.subarray(Math.max(first - start, 0), end - start)] as const;
    });
    return Object.fromEntries(found);
  }

  /** Ranges of results in an array of `length` elements that holds the layout from element `start` on. */
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
