import { pairedTest } from '../../src/measure/paired-test.ts';

describe("McNemar's test", () => {
  // scipy.stats.chi2.sf((a - b) ** 2 / (a + b), 1)
  it.each([
    [5, 1, 0.10247043485974937],
    [1, 5, 0.10247043485974937],
    [0, 4, 0.04550026389635839],
    [2, 2, 1],
    [0, 0, 1],
    [2550, 2450, 0.15729920705028502],
    [40, 10, 2.209049699858544e-5],
  ])('%d against %d', (onlyFirst, onlySecond, p) => {
    expect(pairedTest({ onlyFirst, onlySecond, samples: 5000 }).p).toBeCloseTo(p, 10);
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
