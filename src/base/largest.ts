/** Indexes of the `wanted` largest values, the largest first; of equal values the first. */
export function largestSeveral(values: Float32Array, wanted: number): Int32Array {
  const size = Math.min(wanted, values.length);
  const least = size === values.length ? -Infinity : largest(values, size);
  const kept: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i]! >= least) kept.push(i);
  return descending(values, kept).subarray(0, size);
}

/** Places that fit into a number of 53 bits beside a value of 32. */
const PLACES = 2 ** 21;

/** These indexes, which ascend, by their values: numbers that order as value and place do are sorted without a function that compares. */
function descending(values: Float32Array, indexes: readonly number[]): Int32Array {
  const { length } = indexes;
  const sorted = Int32Array.from(indexes);
  if (length > PLACES) return sorted.sort((x, y) => values[y]! - values[x]! || x - y);
  const kept = new Float32Array(length);
  // Adding 0 makes 0 of -0.
  for (let i = 0; i < length; i++) kept[i] = values[indexes[i]!]! + 0;
  const bits = new Int32Array(kept.buffer);
  const keys = new Float64Array(length);
  for (let i = 0; i < length; i++) keys[i] = (bits[i]! < 0 ? bits[i]! + 2 ** 31 : -bits[i]!) * PLACES + i;
  keys.sort();
  for (let i = 0; i < length; i++) sorted[i] = indexes[keys[i]! - Math.floor(keys[i]! / PLACES) * PLACES]!;
  return sorted;
}

/** The value at a rank, from 1, of the values in descending order: Hoare's selection. */
function largest(values: Float32Array, rank: number): number {
  const of = values.slice();
  let [low, high] = [0, of.length - 1];
  const at = rank - 1;
  while (low < high) {
    const pivot = of[(low + high) >> 1]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (of[i]! > pivot) i++;
      while (of[j]! < pivot) j--;
      if (i <= j) {
        const swap = of[i]!;
        of[i++] = of[j]!;
        of[j--] = swap;
      }
    }
    if (at <= j) high = j;
    else if (at >= i) low = i;
    else break;
  }
  return of[at]!;
}
