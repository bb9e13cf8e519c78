import { unitVectors } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';
import { largestSeveral } from '../../base/largest.ts';
import { sum } from '../../base/numbers.ts';
import { eachQuery } from './neighbours.ts';

/** Number of nearest documents that count. */
const RANK = 10;

export interface GradedRetrieval {
  /** Mean nDCG@10 of the queries, 0 to 1. */
  readonly ndcg: number;
  /** Mean share of a query's relevant documents that are among the nearest 10. */
  readonly recall: number;
}

/**
 * Retrieval of documents whose relevance has grades, by exact search with cosines; of equal ones the first document is nearer. nDCG@10 = Σ gain / log2(rank + 1) over the
 * nearest 10, divided by that sum of the best order of all judged documents (Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", as
 * `ndcg_cut` of trec_eval computes it: the gain is the grade, and a negative one is 0). `names`: of the documents; `grades`: by the names of the judged documents of each
 * query, of which at least one is above 0.
 */
export function gradedRetrieval(
  documents: Vectors,
  names: readonly string[],
  queries: Vectors,
  grades: readonly ReadonlyMap<string, number>[],
): GradedRetrieval {
  let [ndcg, recall] = [0, 0];
  const visit = (query: number, products: Float32Array): void => {
    const known = grades[query]!;
    const found = Array.from(largestSeveral(products, RANK), (row) => known.get(names[row]!) ?? 0);
    const best = [...known.values()].filter(isRelevant).sort((a, b) => b - a);
    ndcg += discounted(found) / discounted(best.slice(0, RANK));
    recall += found.filter(isRelevant).length / best.length;
  };
  eachQuery(unitVectors(documents), visit, undefined, unitVectors(queries));
  return { ndcg: ndcg / grades.length, recall: recall / grades.length };
}

const isRelevant = (grade: number): boolean => grade > 0;

/** Discounted cumulative gain of grades in the order of their ranks. */
function discounted(grades: readonly number[]): number {
  return sum(grades.map((grade, at) => Math.max(0, grade) / Math.log2(at + 2)));
}
