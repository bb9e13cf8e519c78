import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/**
 * Principal components: rows [count, width], centred and projected onto the `size` eigenvectors of their covariance with the largest eigenvalues; the
 * largest element of each is positive. Also the share of variance that is kept, 0 to 1.
 */
export function principalComponents(
  rows: Float32Array,
  width: number,
  size: number,
): { readonly rows: Float32Array; readonly kept: number } {
  const count = rows.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width]! += rows[i]! / count;
  const centred = Float64Array.from(rows, (value, i) => value - mean[i % width]!);
  const { values, vectors } = eigen(covariance(centred, width));
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
  const out = new Float32Array(count * size);
  order.slice(0, size).forEach((direction, column) => {
    let largest = 0;
    for (let row = 0; row < count; row++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += centred[row * width + i]! * vectors.get(i, direction);
      out[row * size + column] = sum;
      if (Math.abs(sum) > Math.abs(largest)) largest = sum;
    }
    if (largest < 0) for (let row = 0; row < count; row++) out[row * size + column]! *= -1;
  });
  const variance = (of: readonly number[]): number => of.reduce((sum, i) => sum + Math.max(0, values[i]!), 0);
  const all = variance(order);
  return { rows: out, kept: all === 0 ? 1 : variance(order.slice(0, size)) / all };
}

/** [width, width], symmetric. */
function covariance(centred: Float64Array, width: number): Float64Array {
  const count = centred.length / width;
  const sums = new Float64Array(width * width);
  for (let row = 0; row < count; row++) {
    const at = row * width;
    for (let i = 0; i < width; i++) {
      const value = centred[at + i]!;
      for (let j = i; j < width; j++) sums[i * width + j]! += value * centred[at + j]!;
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) sums[j * width + i] = sums[i * width + j]! /= Math.max(1, count - 1);
  }
  return sums;
}

function eigen(symmetric: Float64Array): { readonly values: readonly number[]; readonly vectors: Matrix } {
  const width = Math.sqrt(symmetric.length);
  const matrix = Matrix.from1DArray(width, width, symmetric);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  return { values: realEigenvalues, vectors: eigenvectorMatrix };
}
