import {
  ascending,
  deviation,
  mean,
  median,
  medianInterval,
  quantile,
  tQuantile,
} from '../../../src/base/math/statistics.ts';
import { RandomStream } from '../../../src/base/random.ts';

describe('quantiles', () => {
  it('lie between order statistics', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([10, 20, 30], 0)).toBe(10);
    expect(quantile([10, 20, 30], 0.95)).toBeCloseTo(29);
    expect(median([9, 1, 5])).toBe(5);
  });

  it('stand beside a mean and its deviation', () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(deviation([1, 2, 6])).toBeCloseTo(Math.sqrt(14 / 3), 12);
    expect(deviation([1, 2, 6], 2)).toBeCloseTo(Math.sqrt(7), 12);
  });
});

describe('the interval of a median', () => {
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

  it('has the ranks of the binomial tables', () => {
    // 95 %: from n = 6 on; ranks 1, 2, 6 and 40 for n = 6, 9, 20 and 100. 99 %: from n = 8 on.
    expect(medianInterval(upTo(5))).toBeUndefined();
    expect(medianInterval(upTo(6))).toEqual([1, 6]);
    expect(medianInterval(upTo(9))).toEqual([2, 8]);
    expect(medianInterval(upTo(20))).toEqual([6, 15]);
    expect(medianInterval(upTo(100))).toEqual([40, 61]);
    expect(medianInterval(upTo(7), 0.99)).toBeUndefined();
    expect(medianInterval(upTo(8), 0.99)).toEqual([1, 8]);
  });

  it.each([20, 300])('holds the true median in 95 of 100 samples of %d', (n) => {
    const random = new RandomStream('interval', n);
    let held = 0;
    for (let i = 0; i < 1000; i++) {
      // A skewed distribution, as times are: its median is ln 2.
      const interval = medianInterval(ascending(upTo(n).map(() => -Math.log(1 - random.uniform()))))!;
      if (interval[0] <= Math.LN2 && Math.LN2 <= interval[1]) held++;
    }
    expect(held).toBeGreaterThan(930);
    expect(held).toBeLessThan(985);
  });
});

it.each([
  [1, 12.7062],
  [2, 4.3027],
  [3, 3.1824],
  [4, 2.7764],
  [5, 2.5706],
  [9, 2.2622],
  [19, 2.093],
  [30, 2.0423],
  [99, 1.9842],
])('uses t(%d) = %d, as in the tables', (degrees, expected) => {
  expect(tQuantile(degrees)).toBeCloseTo(expected, 3);
});
