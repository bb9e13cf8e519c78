export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation with `degrees` degrees of freedom; default: the number of values. */
export function deviation(values: readonly number[], degrees = values.length): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / degrees);
}

/** The `q` quantile of ascending values, interpolated linearly. */
export function quantile(sorted: readonly number[], q: number): number {
  const place = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(ascending(values), 0.5);
}

export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/**
 * Confidence interval of the median between two order statistics: the number of values below the true median is binomial (n, 1/2) for any
 * distribution. Undefined with too few values for the level (6 for 95 %).
 */
export function medianInterval(
  sorted: readonly number[],
  level: 0.95 | 0.99 = 0.95,
): readonly [number, number] | undefined {
  const below = lowerRank(sorted.length, level);
  if (below < 1) return undefined;
  return [sorted[below - 1]!, sorted[sorted.length - below]!];
}

/** Above this number of values the normal approximation is off by at most one rank; up to it 2^-n is far from underflow. */
const EXACT = 200;

/** Largest rank r with P(X < r) at most half of the error probability; X is binomial (n, 1/2). */
function lowerRank(n: number, level: 0.95 | 0.99): number {
  if (n > EXACT) return Math.floor((n - (level === 0.95 ? 1.96 : 2.576) * Math.sqrt(n)) / 2);
  const tail = (1 - level) / 2;
  let [probability, sum, rank] = [2 ** -n, 0, 0];
  while (sum + probability <= tail) {
    sum += probability;
    probability *= (n - rank) / (rank + 1);
    rank++;
  }
  return rank;
}

/** 97.5 % quantile of Student's t by degrees of freedom. With t = sqrt(n) tan(a), the density in a is c cos(a)^(n - 1). */
export function tQuantile(degrees: number): number {
  const cosinePower = (end: number): number => integral((angle) => Math.cos(angle) ** (degrees - 1), end);
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const angle = (low + high) / 2;
    if (cosinePower(angle) < 0.95 * cosinePower(Math.PI / 2)) low = angle;
    else high = angle;
  }
  return Math.sqrt(degrees) * Math.tan(low);
}

/** Probability that a standard normal number is at least as far from 0 as `z`, to 1e-12. */
export function normalTails(z: number): number {
  const inside = integral((x) => Math.exp(-(x ** 2) / 2), Math.min(Math.abs(z), 10));
  return Math.max(0, 1 - inside * Math.sqrt(2 / Math.PI));
}

/** The integral from 0 to `end`, by Simpson's rule. */
function integral(of: (x: number) => number, end: number): number {
  const steps = 400;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * of((end * i) / steps);
  }
  return (sum * end) / steps / 3;
}
