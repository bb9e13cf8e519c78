import { sharedBytes, sharedFloats } from '../dataset.ts';
import type { Samples } from '../dataset.ts';

/**
 * A typed array that grows by half when it is full. With a good first estimate of the size nothing is ever copied; too high an estimate only costs
 * address space, because the system allocates pages of shared memory when they are written.
 */
export class GrowingArray<A extends Samples | Int32Array> {
  length = 0;
  #data: A;
  readonly #allocate: (length: number) => A;

  constructor(allocate: (length: number) => A, expected = 0) {
    this.#allocate = allocate;
    this.#data = allocate(Math.max(expected, 1024));
  }

  /** Makes room for `count` more values and returns the array to write them to, from index `length` before the call. */
  extend(count: number): A {
    const needed = this.length + count;
    if (needed > this.#data.length) {
      const bigger = this.#allocate(Math.max(needed, Math.ceil(this.#data.length * 1.5)));
      bigger.set(this.#data.subarray(0, this.length));
      this.#data = bigger;
    }
    this.length = needed;
    return this.#data;
  }

  push(value: number): void {
    const at = this.length;
    this.extend(1)[at] = value;
  }

  /** The values so far, without a copy. */
  view(): A {
    return this.#data.subarray(0, this.length) as A;
  }
}

export function growingFloats(expected?: number): GrowingArray<Float32Array> {
  return new GrowingArray(sharedFloats, expected);
}

export function growingBytes(expected?: number): GrowingArray<Uint8Array> {
  return new GrowingArray(sharedBytes, expected);
}

export function growingInts(expected?: number): GrowingArray<Int32Array> {
  return new GrowingArray((length) => new Int32Array(length), expected);
}
