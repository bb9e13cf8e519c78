/** Root of the squared differences, as a share of the root of the squared expected values, of at least `floor`. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-30): number {
  let [off, all] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    off += (expected[i]! - actual[i]!) ** 2;
    all += expected[i]! ** 2;
  }
  return Math.sqrt(off) / Math.max(Math.sqrt(all), floor);
}
