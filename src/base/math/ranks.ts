/** Ranks of values from 1 on; equal values have the mean of their ranks. */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length;) {
    let end = first + 1;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let i = first; i < end; i++) ranks[order[i]!] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}

/** Spearman's correlation, Pearson's of the ranks, -1 to 1; undefined if all values of one side are equal. */
export function spearman(first: ArrayLike<number>, second: ArrayLike<number>): number | undefined {
  const [a, b] = [ranksOf(first), ranksOf(second)];
  const middle = (a.length + 1) / 2;
  let [together, own, other] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - middle, b[i]! - middle];
    together += x * y;
    own += x * x;
    other += y * y;
  }
  return own === 0 || other === 0 ? undefined : together / Math.sqrt(own * other);
}
