/** Indexes of the `wanted` largest values, the largest first; of equal values the first. */
export function largestSeveral(values: Float32Array, wanted: number): Int32Array {
  const size = Math.min(wanted, values.length);
  const least = size === values.length ? -Infinity : largest(values, size);
  const kept: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i]! >= least) kept.push(i);
  kept.sort((x, y) => values[y]! - values[x]! || x - y);
  return Int32Array.from(kept.slice(0, size));
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
