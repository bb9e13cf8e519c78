import * as tf from '@tensorflow/tfjs-core';

/** Constants of a Fourier transform in two stages, see `fourierTables`. */
export interface FourierTables {
  /** Factors of the length: value `inner · a + b` of a row is value a of part b. */
  readonly outer: number;
  readonly inner: number;
  /** Number of frequencies of the first stage, and of the second. */
  readonly first: number;
  readonly second: number;
  /** [outer, 2 · first]: cosines, then negative sines. */
  readonly parts: Float32Array;
  /** [inner, first] each: rotation of part b at frequency k by b · k / length of a circle. */
  readonly turnCosines: Float32Array;
  readonly turnSines: Float32Array;
  /** [2 · inner, 2 · second]: from real and imaginary parts to real and imaginary parts. */
  readonly whole: Float32Array;
}

/** Largest factor of a length whose transform has few constants: a length with a large prime factor has a matrix of nearly all its values. */
const LARGEST_FACTOR = 7;

/** The nearest length (of two, the longer) without prime factors above 7: from 12 values on it is less than 9 % away, from 300 on less than 3 %. */
export function smoothLength(length: number): number {
  for (let away = 0; ; away++) for (const near of [length + away, length - away]) if (isSmooth(near)) return near;
}

function isSmooth(length: number): boolean {
  let rest = length;
  for (let factor = 2; factor <= LARGEST_FACTOR; factor++) while (rest > 0 && rest % factor === 0) rest /= factor;
  return rest === 1;
}

/**
 * Constants for the first `bins` frequencies of rows of `length` values (Cooley and Tukey 1965, "An algorithm for the machine calculation of
 * complex Fourier series", with two factors). With n = inner · a + b and k = k1 + outer · k2 a bin is
 * Σ_b e^(-2πi b·k2 / inner) · e^(-2πi b·k1 / length) · Σ_a x[n] e^(-2πi a·k1 / outer): two products with small matrices, and the turn between
 * them. The factors are those with the fewest constants; a prime length has the matrix of all its frequencies.
 */
export function fourierTables(length: number, bins: number): FourierTables {
  const sizes = Array.from({ length }, (_, i) => i + 1)
    .filter((outer) => length % outer === 0)
    .map((outer) => {
      const [inner, first, second] = [length / outer, Math.min(outer, bins), Math.ceil(bins / outer)];
      return { outer, inner, first, second, constants: 2 * outer * first + 2 * inner * first + 4 * inner * second };
    });
  const { outer, inner, first, second } = sizes.reduce((best, size) => (size.constants < best.constants ? size : best));
  const [partCosines, partSines] = waves(outer, first, outer);
  const [turnCosines, turnSines] = waves(inner, first, length);
  const [cosines, sines] = waves(inner, second, inner);
  const parts = new Float32Array(outer * 2 * first);
  for (let a = 0; a < outer; a++) {
    for (let k = 0; k < first; k++) {
      parts[a * 2 * first + k] = partCosines[a * first + k]!;
      parts[a * 2 * first + first + k] = -partSines[a * first + k]!;
    }
  }
  const whole = new Float32Array(2 * inner * 2 * second);
  for (let b = 0; b < inner; b++) {
    for (let k = 0; k < second; k++) {
      const [cosine, sine] = [cosines[b * second + k]!, sines[b * second + k]!];
      whole[b * 2 * second + k] = cosine;
      whole[b * 2 * second + second + k] = -sine;
      whole[(inner + b) * 2 * second + k] = sine;
      whole[(inner + b) * 2 * second + second + k] = cosine;
    }
  }
  return { outer, inner, first, second, parts, turnCosines, turnSines, whole };
}

/** [rows, columns] cosines and sines of row · column / period of a circle. */
function waves(rows: number, columns: number, period: number): [Float32Array, Float32Array] {
  const table = (wave: (angle: number) => number): Float32Array =>
    Float32Array.from({ length: rows * columns }, (_, i) =>
      wave((2 * Math.PI * ((Math.floor(i / columns) * (i % columns)) % period)) / period),
    );
  return [table(Math.cos), table(Math.sin)];
}

/** [rows, first · second]: squared magnitudes of the frequencies of x [rows, length], from 0 on. */
export function powerSpectrum(x: tf.Tensor, tables: FourierTables): tf.Tensor2D {
  const { outer, inner, first, second } = tables;
  const byPart = tf.transpose(tf.reshape(x, [-1, outer, inner]), [0, 2, 1]);
  const [real, imaginary] = halves(product(byPart, tables.parts, [outer, 2 * first]), first);
  const cosines = tf.tensor2d(tables.turnCosines, [inner, first]);
  const sines = tf.tensor2d(tables.turnSines, [inner, first]);
  const turned = tf.concat(
    [tf.add(tf.mul(real, cosines), tf.mul(imaginary, sines)), tf.sub(tf.mul(imaginary, cosines), tf.mul(real, sines))],
    1,
  );
  const [re, im] = halves(product(tf.transpose(turned, [0, 2, 1]), tables.whole, [2 * inner, 2 * second]), second);
  const power = tf.add(tf.square(re), tf.square(im));
  return tf.reshape(tf.transpose(power, [0, 2, 1]), [-1, second * first]);
}

/** Product of the last axis of x, of rank 3, with a matrix. */
function product(x: tf.Tensor, matrix: Float32Array, [from, to]: readonly [number, number]): tf.Tensor {
  const flat = tf.matMul(tf.reshape<tf.Rank.R2>(x, [-1, from]), tf.tensor2d(matrix, [from, to]));
  return tf.reshape(flat, [-1, x.shape[1]!, to]);
}

function halves(x: tf.Tensor, size: number): [tf.Tensor, tf.Tensor] {
  const rows = x.shape[1]!;
  return [tf.slice(x, [0, 0, 0], [-1, rows, size]), tf.slice(x, [0, 0, size], [-1, rows, size])];
}
