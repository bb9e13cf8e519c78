/** Division of a batch into parts. */
export interface BatchCut {
  /** Minimum number of parts; a smaller batch has a part for each sample. */
  readonly shards: number;
  /** Maximum samples of a part. Default: the size of a shard. */
  readonly most?: number | undefined;
}

/** Part of every batch that one of several processes needs, for each of the cuts. Plain values, to be sent to worker threads. */
export interface Share {
  readonly rank: number;
  readonly size: number;
  readonly cuts: readonly BatchCut[];
}

/** Positions in a batch from `first` (inclusive) to `end` (exclusive). */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** Sizes of `wanted` parts that differ by at most one; fewer parts if samples are fewer. */
export function evenSizes(samples: number, wanted: number): number[] {
  const parts = Math.min(samples, wanted);
  return Array.from({ length: parts }, (_, i) => Math.ceil((samples - i) / parts));
}

/** Sizes of the parts of a batch: each shard is cut into the fewest parts of at most `most` samples. */
export function batchPartSizes(samples: number, { shards, most = samples }: BatchCut): number[] {
  const wanted = Math.min(shards, samples);
  return evenSizes(samples, wanted * Math.ceil(Math.ceil(samples / wanted) / most));
}

/**
 * Parts of each of `size` processes for `count` parts in all: a power of two, so that a process adds complete pairs. The last processes may have
 * fewer, or none.
 */
export function partsEach(count: number, size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count / size)));
}

/**
 * Positions in a batch that a process needs, in order: those of its parts and between them, and the samples that are mixed into them. `partners`:
 * position that is mixed into each sample.
 */
export function neededOf(samples: number, share: Share | undefined, partners?: Int32Array): Int32Array {
  return within(samples, share === undefined ? { first: 0, end: samples } : spanOf(samples, share), partners);
}

/** Like `neededOf`, for the positions of a span. */
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
