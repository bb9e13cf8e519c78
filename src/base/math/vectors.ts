/** Vectors, one after another, [count, width]. */
export interface Vectors {
  readonly values: Float32Array;
  readonly width: number;
}

/** Rows of length 1; a row of zeros stays as it is. Only the first `size` elements of each row are read. */
export function unitVectors({ values, width }: Vectors, size = width): Vectors {
  const count = values.length / width;
  const out = new Float32Array(count * size);
  for (let row = 0; row < count; row++) {
    let square = 0;
    for (let i = 0; i < size; i++) square += values[row * width + i]! ** 2;
    const scale = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (let i = 0; i < size; i++) out[row * size + i] = values[row * width + i]! * scale;
  }
  return { values: out, width: size };
}

export function vectorCount({ values, width }: Vectors): number {
  return values.length / width;
}

/** Cosine of the angle between the vectors of each sample. */
export function cosinesOf(vectors: Vectors, others: Vectors): Float32Array {
  const [a, b] = [unitVectors(vectors), unitVectors(others)];
  return Float32Array.from({ length: vectorCount(a) }, (_, row) => {
    let sum = 0;
    for (let i = row * a.width; i < (row + 1) * a.width; i++) sum += a.values[i]! * b.values[i]!;
    return sum;
  });
}
