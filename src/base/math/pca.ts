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
  return { rows: out, kept: shareOf(values, order, size) };
}

/**
 * Axes [size, width] onto which vectors [count, width] are projected so that their inner products change least (Eckart and Young 1936): eigenvectors of
 * the mean of their outer products, not centred, the largest eigenvalue first; the largest element of each is positive. Also the share of the squared
 * lengths that is kept, 0 to 1.
 */
export function principalAxes(
  rows: Float32Array,
  width: number,
  size: number,
): { readonly axes: Float32Array; readonly kept: number } {
  const { values, vectors } = eigen(covariance(Float64Array.from(rows), width));
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
  const axes = new Float32Array(size * width);
  order.slice(0, size).forEach((direction, axis) => {
    const own = Float32Array.from({ length: width }, (_, i) => vectors.get(i, direction));
    const largest = own.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    axes.set(largest < 0 ? own.map((value) => -value) : own, axis * width);
  });
  return { axes, kept: shareOf(values, order, size) };
}

/** Share of the sum of the eigenvalues that the first `size` have. */
function shareOf(values: readonly number[], order: readonly number[], size: number): number {
  const sum = (of: readonly number[]): number => of.reduce((total, i) => total + Math.max(0, values[i]!), 0);
  const all = sum(order);
  return all === 0 ? 1 : sum(order.slice(0, size)) / all;
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
