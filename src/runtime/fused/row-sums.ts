/**
 * The sum of rows by their ids, as the gradient of an embedding is, in memory that is zero between calls: only rows with an id of the call are
 * written, and cleared behind the call. Sums have the bits of the graph's op (`sumByKey`): of the rows of an id, in round r = 0, 1, ... row 2^r is
 * added to row 0, row 3·2^r to row 2·2^r and so on. Ids outside 0 ... segments - 1 are ignored.
 */
export class RowSums {
  readonly #sums: Float32Array;
  readonly #rows: Float32Array;
  readonly #ids: Int32Array;
  readonly #width: number;
  /** Rows that a call adds to: those given, or a copy. */
  readonly #added: Float32Array;
  /** Number of rows of each id while a call groups them, then the end of its part of `#order`. */
  readonly #ends: Int32Array;
  readonly #order: Int32Array;
  /** Different ids of the call, as they first come. */
  readonly #met: Int32Array;
  #count = 0;

  /**
   * @param sums zeros, [segments, width]
   * @param rows the rows of each call, [ids.length, width]
   * @param keepsRows false if a call may write to the rows
   */
  constructor(sums: Float32Array, rows: Float32Array, ids: Int32Array, segments: number, keepsRows: boolean) {
    [this.#sums, this.#rows, this.#ids] = [sums, rows, ids];
    this.#added = keepsRows ? rows.slice() : rows;
    this.#width = sums.length / segments;
    this.#ends = new Int32Array(segments);
    this.#order = new Int32Array(ids.length);
    this.#met = new Int32Array(ids.length);
  }

  write(): void {
    this.#group();
    const [sums, rows, order, width] = [this.#sums, this.#added, this.#order, this.#width];
    if (rows !== this.#rows) rows.set(this.#rows);
    for (let i = 0, start = 0; i < this.#count; i++) {
      const id = this.#met[i]!;
      const end = this.#ends[id]!;
      for (let apart = 1; apart < end - start; apart *= 2)
        for (let at = start + apart; at < end; at += 2 * apart) {
          const [to, from] = [order[at - apart]! * width, order[at]! * width];
          for (let k = 0; k < width; k++) rows[to + k]! += rows[from + k]!;
        }
      const first = order[start]! * width;
      sums.set(rows.subarray(first, first + width), id * width);
      start = end;
    }
  }

  clear(): void {
    for (let i = 0; i < this.#count; i++) {
      const id = this.#met[i]!;
      this.#sums.fill(0, id * this.#width, (id + 1) * this.#width);
      this.#ends[id] = 0;
    }
    this.#count = 0;
  }

  /** Places of the rows, id by id in the order of `#met`, and within an id as they come. */
  #group(): void {
    const [ids, ends] = [this.#ids, this.#ends];
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
