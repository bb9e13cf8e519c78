/** Memory of a sum of rows. All but the ids are in WebAssembly's memory. */
export interface RowMemory {
  /** Address of the sum of each id; between calls that of a row of zeros. */
  readonly addresses: Int32Array;
  /** Address of a row of zeros. */
  readonly zeros: number;
  /** The rows of each call, [ids.length, width]. */
  readonly rows: Float32Array;
  /** Memory for a copy of the rows if they must be kept; `rows` if a call may write to them. */
  readonly added: Float32Array;
  readonly ids: Int32Array;
}

/**
 * The sum of rows by their ids, as the gradient of an embedding is: only rows with an id of the call have a sum of their own, in the place of the first
 * row of the id. Sums have the bits of the graph's op (`sumByKey`): of the rows of an id, in round r = 0, 1, ... row 2^r is added to row 0, row 3·2^r
 * to row 2·2^r and so on. Ids that have no sum are ignored.
 */
export class RowSums {
  readonly #memory: RowMemory;
  /** Adds from an address to another, up to an end of the latter. */
  readonly #add: (to: number, end: number, from: number) => void;
  /** Number of rows of each id while a call groups them, then the end of its part of `#order`. */
  readonly #ends: Int32Array;
  readonly #order: Int32Array;
  /** Different ids of the call, as they first come. */
  readonly #met: Int32Array;
  #count = 0;

  constructor(memory: RowMemory, add: (to: number, end: number, from: number) => void) {
    const { addresses, zeros, ids } = memory;
    [this.#memory, this.#add] = [memory, add];
    addresses.fill(zeros);
    this.#ends = new Int32Array(addresses.length);
    this.#order = new Int32Array(ids.length);
    this.#met = new Int32Array(ids.length);
  }

  write(): void {
    this.#group();
    const { rows, added, addresses, ids } = this.#memory;
    const [order, add] = [this.#order, this.#add];
    if (rows !== added) added.set(rows);
    const [base, bytes] = [added.byteOffset, added.byteLength / ids.length];
    for (let i = 0, start = 0; i < this.#count; i++) {
      const id = this.#met[i]!;
      const end = this.#ends[id]!;
      for (let apart = 1; apart < end - start; apart *= 2)
        for (let at = start + apart; at < end; at += 2 * apart) {
          const to = base + order[at - apart]! * bytes;
          add(to, to + bytes, base + order[at]! * bytes);
        }
      addresses[id] = base + order[start]! * bytes;
      start = end;
    }
  }

  clear(): void {
    const { addresses, zeros } = this.#memory;
    for (let i = 0; i < this.#count; i++) {
      const id = this.#met[i]!;
      addresses[id] = zeros;
      this.#ends[id] = 0;
    }
    this.#count = 0;
  }

  /** Places of the rows, id by id in the order of `#met`, and within an id as they come. */
  #group(): void {
    const { ids } = this.#memory;
    const ends = this.#ends;
    for (const id of ids) {
      if (id < 0 || id >= ends.length) continue;
      if (ends[id]! === 0) this.#met[this.#count++] = id;
      ends[id]!++;
    }
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      const id = this.#met[i]!;
      const own = ends[id]!;
      ends[id] = sum;
      sum += own;
    }
    for (let row = 0; row < ids.length; row++) {
      const id = ids[row]!;
      if (id >= 0 && id < ends.length) this.#order[ends[id]!++] = row;
    }
  }
}
