/** Cosine of the angle between two vectors of length 1. */
export function likeness(one, other) {
  return one.reduce((sum, value, i) => sum + value * other[i], 0);
}

/** Places of the vectors that are most alike to a vector, the most alike first, with the cosines of the angles between: [[place, cosine], …]. */
export function nearest(vector, among, count = 10) {
  const cosines = among.map((other, i) => [i, likeness(vector, other)]);
  return cosines.sort((a, b) => b[1] - a[1]).slice(0, count);
}

/** Vectors of the bytes of a file that `limbeck embed --vectors` writes: float32 [samples, size] of NumPy. */
export function vectorsIn(npy, size) {
  if (npy[0] !== 0x93 || npy[6] !== 1) throw new Error('expected a file of NumPy, version 1');
  const floats = new Float32Array(Uint8Array.from(npy.subarray(10 + npy[8] + 256 * npy[9])).buffer);
  if (floats.length % size !== 0) throw new Error('expected vectors of ' + size + ' numbers');
  return Array.from({ length: floats.length / size }, (_, i) => floats.subarray(i * size, (i + 1) * size));
}
