import { unitVectors } from '../../base/math/vectors.ts';
import type { Vectors } from '../../base/math/vectors.ts';

/** Number formats of the vectors in an index. */
export const VECTOR_PRECISIONS = ['float32', 'int8', 'binary'] as const;
export type VectorPrecision = (typeof VECTOR_PRECISIONS)[number];

interface Format {
  readonly bytes: (size: number) => number;
  /** The numbers that vectors of length 1 become, as far as cosines depend on them. */
  readonly rounded: (vectors: Vectors) => Vectors;
}

/**
 * `int8`: each vector times 127 / its largest element, rounded. `binary`: the sign of each element, whose inner product of ±1 orders samples as the
 * Hamming distance does.
 */
const FORMATS: Readonly<Record<VectorPrecision, Format>> = {
  float32: { bytes: (size) => 4 * size, rounded: (vectors) => vectors },
  int8: {
    bytes: (size) => size,
    rounded: ({ values, width }) => {
      const out = new Float32Array(values.length);
      for (let at = 0; at < values.length; at += width) {
        const row = values.subarray(at, at + width);
        const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        row.forEach((value, i) => (out[at + i] = largest === 0 ? 0 : Math.round((127 * value) / largest)));
      }
      return { values: out, width };
    },
  },
  binary: {
    bytes: (size) => Math.ceil(size / 8),
    rounded: ({ values, width }) => ({ values: values.map((value) => (value > 0 ? 1 : -1)), width }),
  },
};

/** Bytes of a vector in an index. */
export function bytesOfVector(precision: VectorPrecision, size: number): number {
  return FORMATS[precision].bytes(size);
}

/** The first `size` elements of vectors [count, width] as an index holds them. */
export function inPrecision(vectors: Vectors, precision: VectorPrecision, size = vectors.width): Vectors {
  return FORMATS[precision].rounded(unitVectors(vectors, size));
}
