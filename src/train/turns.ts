interface Items {
  readonly count: number;
  /** Maximum numbers of an item. */
  readonly width: number;
  /** Consecutive items of a turn. Default 1. */
  readonly each?: number;
}

/** Work on numbered items, of which each of several processes does a part. */
export interface Turns {
  /** Number of processes. */
  readonly size: number;
  /**
   * Results of `compute` for items 0 … count - 1, [count, width]. Processes take turns at the items and exchange all results: the same numbers as from
   * a single process.
   */
  inTurns(items: Items, compute: (item: number) => Promise<Float32Array>): Promise<Float32Array>;
}

/** All items in a single process. */
export const oneByOne: Turns = {
  size: 1,
  inTurns: async ({ count, width }, compute) => {
    const all = new Float32Array(count * width);
    for (let item = 0; item < count; item++) all.set(await compute(item), item * width);
    return all;
  },
};
