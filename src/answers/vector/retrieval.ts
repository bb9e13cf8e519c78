import { cosinesOf, unitVectors, vectorCount } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';
import { largestSeveral } from '../../base/largest.ts';
import { eachQuery, nearestOf } from './neighbours.ts';

/** Which samples belong to which: samples of one class, or the nearest of each by other vectors. */
export interface Relevance {
  /** Number of the relevant samples of a query, without the query itself. */
  readonly count: (query: number) => number;
  readonly isRelevant: (query: number, sample: number) => boolean;
}

/** Neighbours by the vectors of a teacher that count as relevant where no labels are known. */
export const NEIGHBOURS = 10;

/** Relevance by the class of each sample; a sample of an unknown class, below 0, has no relevant ones. */
export function ofClasses(classes: ArrayLike<number>): Relevance {
  const sizes = new Map<number, number>();
  for (let i = 0; i < classes.length; i++) sizes.set(classes[i]!, (sizes.get(classes[i]!) ?? 0) + 1);
  return {
    count: (query) => (classes[query]! < 0 ? 0 : sizes.get(classes[query]!)! - 1),
    isRelevant: (query, sample) => classes[query] === classes[sample],
  };
}

/** Relevance of the `NEIGHBOURS` nearest samples by other vectors, which need not be of length 1. */
export function ofNeighbours(vectors: Vectors, queries?: ArrayLike<number>): Relevance {
  const known = new Map<number, ReadonlySet<number>>();
  const visit = (query: number, products: Float32Array): void => {
    const others = largestSeveral(products, Math.min(NEIGHBOURS, products.length - 1));
    known.set(query, new Set(others));
  };
  eachQuery(unitVectors(vectors), visit, queries);
  return {
    count: (query) => known.get(query)!.size,
    isRelevant: (query, sample) => known.get(query)!.has(sample),
  };
}

/** For each query that has relevant samples, 1 if its nearest sample is one of them, else 0; queries without any have -1. */
export function hitsOf(vectors: Vectors, relevance: Relevance): Int8Array {
  const hits = new Int8Array(vectorCount(vectors)).fill(-1);
  eachQuery(unitVectors(vectors), (query, products) => {
    if (relevance.count(query) === 0) return;
    hits[query] = relevance.isRelevant(query, nearestOf(products)) ? 1 : 0;
  });
  return hits;
}

/** Ranks at which the recall is stated. */
const RANKS = [1, 5, 10] as const;

export interface Retrieval {
  /** Queries that have relevant samples. */
  readonly queries: number;
  /** Share of queries with a relevant sample among the nearest 1, 5 and 10. */
  readonly recall: readonly [number, number, number];
  /** Mean average precision at R: Musgrave, Belongie and Lim 2020, "A metric learning reality check", section 4. */
  readonly map: number;
}

/**
 * Retrieval with each sample, or each of `queries`, as a query among all others: recall@k, and mAP@R = 1/R Σ_{k ≤ R} precision@k · rel(k), R the number
 * of the query's relevant samples. Queries without any are left out.
 */
export function retrievalOf(vectors: Vectors, relevance: Relevance, queries?: ArrayLike<number>): Retrieval {
  const found = RANKS.map(() => 0);
  let [counted, precision] = [0, 0];
  const visit = (query: number, products: Float32Array): void => {
    const relevant = relevance.count(query);
    if (relevant === 0) return;
    const ranked = largestSeveral(products, Math.max(relevant, RANKS.at(-1)!));
    let [right, sum, first] = [0, 0, Infinity];
    for (const [at, sample] of ranked.entries()) {
      if (!relevance.isRelevant(query, sample) || sample === query) continue;
      first = Math.min(first, at);
      if (at >= relevant) break;
      right++;
      sum += right / (at + 1);
    }
    counted++;
    precision += sum / relevant;
    RANKS.forEach((rank, i) => (found[i]! += first < rank ? 1 : 0));
  };
  eachQuery(unitVectors(vectors), visit, queries);
  const share = (count: number): number => (counted === 0 ? 0 : count / counted);
  return {
    queries: counted,
    recall: found.map(share) as unknown as Retrieval['recall'],
    map: share(precision),
  };
}

/** Mean of the cosines of the vectors of each sample, and mean share of the `NEIGHBOURS` nearest samples that both have in common. */
export function likenessOf(
  vectors: Vectors,
  others: Vectors,
  queries?: ArrayLike<number>,
): { readonly cosine: number; readonly overlap: number } {
  const relevance = ofNeighbours(others, queries);
  let [overlap, counted] = [0, 0];
  const visit = (query: number, products: Float32Array): void => {
    const nearest = largestSeveral(products, Math.min(NEIGHBOURS, products.length - 1));
    counted++;
    overlap += nearest.filter((sample) => relevance.isRelevant(query, sample)).length / Math.max(1, nearest.length);
  };
  eachQuery(unitVectors(vectors), visit, queries);
  const cosines = cosinesOf(vectors, others);
  return {
    cosine: cosines.reduce((sum, value) => sum + value, 0) / cosines.length,
    overlap: counted === 0 ? 0 : overlap / counted,
  };
}
