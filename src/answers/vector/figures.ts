import { vectorCount } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';
import type { VectorReport } from './described.ts';
import { bytesOfVector, inPrecision, VECTOR_PRECISIONS } from './precisions.ts';
import { retrievalOf } from './retrieval.ts';
import type { Relevance } from './retrieval.ts';

/** Largest number of samples that are queries in the description of a model; all samples are searched. */
const QUERIES = 1000;

/** Rows that are queries, evenly spread over `count` samples. */
export function queriesOf(count: number): Int32Array {
  const some = Math.min(count, QUERIES);
  return Int32Array.from({ length: some }, (_, i) => Math.floor((i * count) / some));
}

/** Retrieval by vectors of each size in each number format. */
export function describeVectors(
  vectors: Vectors,
  sizes: readonly number[],
  relevanceOf: (queries: Int32Array) => Relevance,
): VectorReport {
  const queries = queriesOf(vectorCount(vectors));
  const relevance = relevanceOf(queries);
  let counted = 0;
  const rows = vectorsBy(vectors, sizes, (some) => {
    const { recall, map, queries: relevant } = retrievalOf(some, relevance, queries);
    counted = relevant;
    const [recall1, recall5, recall10] = recall;
    return { recall1, recall5, recall10, map };
  });
  return { queries: counted, samples: vectorCount(vectors), rows };
}

type Row = VectorReport['rows'][number];

/** Figures of vectors of each size in each number format. */
export function vectorsBy(
  vectors: Vectors,
  sizes: readonly number[],
  figuresOf: (some: Vectors) => Omit<Row, 'size' | 'precision' | 'bytes'>,
): Row[] {
  return sizes.flatMap((size) =>
    VECTOR_PRECISIONS.map((precision) => ({
      size,
      precision,
      bytes: bytesOfVector(precision, size),
      ...figuresOf(inPrecision(vectors, precision, size)),
    })),
  );
}
