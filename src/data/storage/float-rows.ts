import { growingFloats } from './growing-array.ts';
import type { GrowingArray } from './growing-array.ts';
import type { HeldSamples } from './sample-storage.ts';
import type { Room } from './memory-budget.ts';
import { Scratch } from './temporary-file.ts';

/** Number of elements that are collected before they are written to a file. */
const AT_ONCE = 1 << 20;

interface FloatRowsOptions {
  /** The file, for messages. */
  readonly source: string;
  /** Number of elements of a row. */
  readonly width: number;
  /** Expected maximum of rows; 0: unknown. */
  readonly expected: number;
  readonly room: Room | undefined;
  /** Recipe key that needs all rows in memory; absent: none. */
  readonly inMemory?: string | undefined;
}

/** Rows of float32: in memory, or in a temporary file if they do not fit. */
export class FloatRows {
  readonly #options: FloatRowsOptions;
  #values: GrowingArray<Float32Array>;
  #scratch: Scratch | undefined;
  #taken: number;
  #start = 0;
  #count = 0;

  /** `UserError` with the sizes for rows that do not fit into memory but must. */
  constructor(options: FloatRowsOptions) {
    const { source, width, expected, room, inMemory } = (this.#options = options);
    this.#taken = 4 * width * expected;
    if (inMemory !== undefined)
      room?.demand(
        this.#taken,
        `${source}: its rows of ${width} numbers`,
        `Free memory, use fewer rows, or leave out \`${inMemory}\`: without it the table need not fit.`,
      );
    else if (room?.take(this.#taken) === false) this.#scratch = this.#file(this.#taken);
    this.#values = growingFloats(this.#scratch === undefined ? width * expected : AT_ONCE);
  }

  /** Begins a row: the array to write to, and the index of its first element. */
  begin(): readonly [Float32Array, number] {
    const { width, room, inMemory } = this.#options;
    if (this.#scratch !== undefined && this.#values.length >= AT_ONCE) this.#flush();
    const bytes = 4 * this.#values.length;
    if (this.#scratch === undefined && inMemory === undefined && bytes >= this.#taken) {
      // More rows than expected, such as from a compressed file.
      const more = Math.max(4 * AT_ONCE, bytes / 2);
      if (room?.take(more) === false) {
        this.#scratch = this.#file(bytes + more);
        this.#flush();
        room.giveBack(this.#taken);
        this.#values = growingFloats(AT_ONCE);
      } else this.#taken += more;
    }
    this.#start = this.#values.length;
    this.#count++;
    return [this.#values.extend(width), this.#start];
  }

  /** Removes the last row. */
  drop(): void {
    this.#values.length = this.#start;
    this.#count--;
  }

  held(): HeldSamples & { readonly notes?: readonly string[] } {
    if (this.#scratch === undefined) return { samples: this.#values.view() };
    this.#flush();
    const { source, width, room } = this.#options;
    const note = room!.note(source, 4 * width * this.#count, 'they are read into a temporary file');
    return { ...this.#scratch.finish(), notes: [note] };
  }

  #file(bytes: number): Scratch {
    const { source, width } = this.#options;
    return new Scratch(`${source}: its rows of ${width} numbers`, { type: 'float32', rowSize: width }, bytes);
  }

  /** Written in pieces: each is copied first, and all rows together may be most of the memory. */
  #flush(): void {
    const all = this.#values.view();
    for (let at = 0; at < all.length; at += AT_ONCE) this.#scratch!.write(all.subarray(at, at + AT_ONCE));
    this.#values.length = 0;
  }
}
