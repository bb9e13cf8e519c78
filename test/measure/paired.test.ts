import { midP, pairedTest } from '../../src/measure/paired.ts';

describe("McNemar's test", () => {
  it.each([
    // By hand: 2 · (1 + 6) / 64 less 6 / 64.
    [5, 1, 8 / 64],
    [1, 5, 8 / 64],
    // Nobody alone: 2 · 1/1 · ½ of the one case there is.
    [0, 0, 0.5],
    [0, 4, 1 / 16],
    // As often: 1 less half of 6/16.
    [2, 2, 1 - 3 / 16],
  ])('mid-p of %d against %d', (a, b, p) => {
    expect(midP(a, b)).toBeCloseTo(p, 10);
  });

  it('holds for thousands, where 2^-n is 0 in a double', () => {
    // Normal: 100 / √5000 = 1.414 deviations.
    expect(midP(2550, 2450)).toBeCloseTo(0.1573, 3);
  });
});

/** The score of a difference, with the likeliest probabilities found by search instead of from a formula. */
function score(b: number, c: number, n: number, delta: number): number {
  const logLikelihood = (q: number): number => {
    const [first, rest] = [q + delta, 1 - 2 * q - delta];
    const term = (count: number, p: number): number => (count === 0 ? 0 : count * Math.log(p));
    return term(b, first) + term(c, q) + term(n - b - c, rest);
  };
  let [low, high] = [Math.max(0, -delta) + 1e-12, (1 - delta) / 2 - 1e-12];
  for (let i = 0; i < 200; i++) {
    const [a, z] = [low + (high - low) / 3, high - (high - low) / 3];
    if (logLikelihood(a) < logLikelihood(z)) low = a;
    else high = z;
  }
  return (b - c - n * delta) / Math.sqrt(n * (2 * low + delta * (1 - delta)));
}

describe('the interval of the difference', () => {
  it.each([
    [12, 2, 50],
    [46, 31, 10_000],
    [31, 46, 10_000],
    [3, 9, 200],
  ])('ends where the score test rejects: %d against %d of %d', (b, c, n) => {
    const { difference, interval } = pairedTest({ onlyFirst: b, onlySecond: c, samples: n });
    expect(difference).toBeCloseTo((b - c) / n, 12);
    expect(score(b, c, n, interval[0])).toBeCloseTo(1.959964, 3);
    expect(score(b, c, n, interval[1])).toBeCloseTo(-1.959964, 3);
  });

  it('is not a point where both models are right on the same samples', () => {
    const { difference, interval } = pairedTest({ onlyFirst: 0, onlySecond: 0, samples: 1000 });
    expect(difference).toBe(0);
    // About z² / n: three samples of a thousand could have told them apart.
    expect(interval[1]).toBeCloseTo(0.00383, 4);
    expect(interval[0]).toBeCloseTo(-interval[1], 10);
  });
});
