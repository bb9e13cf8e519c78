/** Cut of a batch into parts. */
export interface BatchCut {
  /** Least number of parts; a batch of fewer samples has as many parts as samples. */
  readonly shards: number;
  /** Most samples of a part. Default: those of a shard. */
  readonly most?: number | undefined;
}

/** Part of every batch that one of several processes needs: the samples of its own parts, in each of the cuts. Plain values, to be sent to worker threads. */
export interface Share {
  readonly rank: number;
  readonly size: number;
  readonly cuts: readonly BatchCut[];
}

/** Positions in a batch: from `first` up to, and without, `end`. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** Sizes of so many parts, none larger than another by more than one; of fewer where there are fewer samples. */
export function evenSizes(samples: number, wanted: number): number[] {
  const parts = Math.min(samples, wanted);
  return Array.from({ length: parts }, (_, i) => Math.ceil((samples - i) / parts));
}

/** Samples of the parts of a batch: each shard is cut into as few parts as there can be of at most `most` samples. */
export function batchPartSizes(samples: number, { shards, most = samples }: BatchCut): number[] {
  const wanted = Math.min(shards, samples);
  return evenSizes(samples, wanted * Math.ceil(Math.ceil(samples / wanted) / most));
}

/** Parts of a process, so many in all: a power of two, so that what it adds up are whole pairs. The last processes may have fewer, or none. */
export function partsEach(count: number, size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count / size)));
}

/**
 * The positions in a batch, in order, whose samples a process needs: those of its own parts and what lies between them, and those that are mixed
 * into them. `partners`: position that is mixed into each.
 */
export function neededOf(samples: number, share: Share | undefined, partners?: Int32Array): Int32Array {
  return within(samples, share === undefined ? { first: 0, end: samples } : spanOf(samples, share), partners);
}

/** As `neededOf`, of the positions of a span. */
export function within(samples: number, { first, end }: Span, partners?: Int32Array): Int32Array {
  const isNeeded = new Uint8Array(samples).fill(1, first, end);
  for (const partner of partners?.subarray(first, end) ?? []) isNeeded[partner] = 1;
  return Int32Array.from(isNeeded.keys()).filter((position) => isNeeded[position] === 1);
}

function spanOf(samples: number, { rank, size, cuts }: Share): Span {
  const spans = cuts
    .map((cut) => {
      const sizes = batchPartSizes(samples, cut);
      const each = partsEach(sizes.length, size);
      const before = (part: number): number => sizes.slice(0, part).reduce((sum, n) => sum + n, 0);
      return { first: before(rank * each), end: before((rank + 1) * each) };
    })
    .filter(({ first, end }) => first < end);
  if (spans.length === 0) return { first: 0, end: 0 };
  return {
    first: Math.min(...spans.map(({ first }) => first)),
    end: Math.max(...spans.map(({ end }) => end)),
  };
}
