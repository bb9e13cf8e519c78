import { cosinesOf, vectorCount } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';
import type { TargetValues } from '../../data/dataset.ts';

/** Number and similarity of the pair that a sample belongs to; the number is below 0 for a sample of a pair without a similarity. */
export const PAIR_TARGET = 2;

/** Pairs whose two samples are there: cosines of their vectors, and similarities. */
export interface KnownPairs {
  readonly cosines: Float32Array;
  readonly similarities: readonly number[];
}

/** The pairs of which both samples are there, in the order of their first sample. */
export function pairsOf(vectors: Vectors, targets: TargetValues): KnownPairs {
  const open = new Map<number, number>();
  const pairs: [number, number][] = [];
  for (let row = 0; row < vectorCount(vectors); row++) {
    const pair = targets[row * PAIR_TARGET]!;
    const first = open.get(pair);
    if (first === undefined) open.set(pair, row);
    else if (pair >= 0) pairs.push([first, row]);
  }
  const { values, width } = vectors;
  const [first, second] = ([0, 1] as const).map((side) => {
    const rows = new Float32Array(pairs.length * width);
    pairs.forEach((pair, i) => rows.set(values.subarray(pair[side] * width, (pair[side] + 1) * width), i * width));
    return { values: rows, width };
  }) as [Vectors, Vectors];
  return {
    cosines: cosinesOf(first, second),
    similarities: pairs.map(([row]) => targets[row * PAIR_TARGET + 1]!),
  };
}
