import { staticSize } from '../graph/shapes.ts';
import type { TensorType } from '../graph/types.ts';
import type { Values } from './steps.ts';

/** Results of a step in one array, cut into slices of one width; the last one has room to spare. All values are float32. */
export class Slices {
  /** Elements of a slice. */
  readonly width: number;
  readonly #places: readonly { readonly name: string; readonly first: number; readonly end: number }[];

  constructor(outputs: ReadonlyMap<string, TensorType>, count: number) {
    let next = 0;
    this.#places = [...outputs].map(([name, { shape }]) => {
      const first = next;
      next += staticSize(shape);
      return { name, first, end: next };
    });
    this.width = Math.ceil(next / count);
  }

  /** Puts results into `array`: all of them, or with `slice` those of that one, of which each is as long as it lies there. */
  write(values: Values, array: Float32Array, slice = 0): void {
    const start = slice * this.width;
    for (const { name, first } of this.#within(array, start))
      array.set(values[name] as Float32Array, Math.max(first - start, 0));
  }

  /** The results that lie in `array`, which is all of them or that slice: of those at its ends a part. No copies. */
  read(array: Float32Array, slice = 0): Values {
    const start = slice * this.width;
    const found = this.#within(array, start).map(({ name, first, end }) => {
      return [name, array.subarray(Math.max(first - start, 0), end - start)] as const;
    });
    return Object.fromEntries(found);
  }

  #within({ length }: Float32Array, start: number) {
    return this.#places.filter(({ first, end }) => end > start && first < start + length);
  }
}
