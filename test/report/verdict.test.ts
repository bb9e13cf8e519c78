import { tQuantile, verdictOf } from '../../src/report/verdict.ts';

describe('the verdict', () => {
  it('is open after one run, however large the gain', () => {
    expect(verdictOf([0.95], [0.9])).toMatchObject({ result: 'INCONCLUSIVE', interval: null, repeats: 1 });
    expect(verdictOf([0.95], [0.9]).gain).toBeCloseTo(0.05);
  });

  it.each([
    ['BEATS', [0.93, 0.934, 0.932], [0.92, 0.922, 0.921]],
    ['INCONCLUSIVE', [0.93, 0.92, 0.935], [0.92, 0.93, 0.921]],
    ['NO GAIN', [0.92, 0.921, 0.92], [0.93, 0.9312, 0.9298]],
    ['NO GAIN', [0.9201, 0.92, 0.9199], [0.92, 0.92, 0.92]],
  ])('is %s when the interval says so', (result, distilled, scratch) => {
    expect(verdictOf(distilled, scratch).result).toBe(result);
  });

  it('is NO GAIN where the whole interval is too small to matter, though above 0', () => {
    expect(verdictOf([0.9204, 0.9205, 0.9206], [0.92, 0.92, 0.92]).result).toBe('NO GAIN');
  });

  it('is open where two runs agree by chance on a few samples', () => {
    const [one, two] = [300 / 360, 301 / 360];
    const { result, interval } = verdictOf([two, two], [one, one], 360);
    expect(result).toBe('INCONCLUSIVE');
    // 12.7062 / sqrt(2) · sqrt(1/6) samples.
    expect(interval![1] - interval![0]).toBeCloseTo((2 * 3.668) / 360, 4);
  });

  it('has the interval of the paired t test', () => {
    // Differences 1, 2, 3 points: mean 2, standard error 1/sqrt(3), t(2) = 4.3027.
    const { gain, interval, sentence } = verdictOf([0.91, 0.92, 0.93], [0.9, 0.9, 0.9]);
    expect(gain).toBeCloseTo(0.02);
    expect(interval![0]).toBeCloseTo(0.02 - 0.043027 / Math.sqrt(3), 5);
    expect(interval![1]).toBeCloseTo(0.02 + 0.043027 / Math.sqrt(3), 5);
    expect(sentence).toBe('+2.00 points (95 % interval -0.48 points to +4.48 points, 3 runs of each)');
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
});
