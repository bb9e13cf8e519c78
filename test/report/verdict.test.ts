import { pairOf, repeatsOf, verdictOf } from '../../src/report/verdict.ts';

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
});

describe('what one run of each says', () => {
  it('is a matter of the samples that one alone has right, and says nothing of the method', () => {
    const pair = pairOf('test', { onlyFirst: 120, onlySecond: 80, samples: 10_000 });
    expect(pair).toMatchObject({ split: 'test', samples: 10_000, onlyDistilled: 120, onlyScratch: 80 });
    expect(pair.difference).toBeCloseTo(0.004, 10);
    expect(pair.interval[0]).toBeGreaterThan(0);
    expect(pair.sentence).toMatch(
      /^of 10,000 test samples the distilled student alone has 120 right, its twin alone 80: a difference of \+0\.40 points, 95 % interval \+0\.\d\d points to \+0\.\d\d points \(McNemar's test: p 0\.005\); of these two models the distilled one is better by more than the choice of samples explains; whether the teacher is the reason, only other seeds can tell$/,
    );
  });

  it('has an interval and a test of one kind: either both tell the models apart, or neither does', () => {
    // The interval leaves out 0 at 12 against 4, where an exact test does not reject.
    expect(pairOf('test', { onlyFirst: 4, onlySecond: 0, samples: 159 }).sentence).toMatch(
      /95 % interval \+0\.\d\d points to \+\d\.\d\d points \(McNemar's test: p 0\.046\); of these two models the distilled one is better/,
    );
    for (let onlyFirst = 0; onlyFirst < 60; onlyFirst++)
      for (let onlySecond = 0; onlySecond < 60; onlySecond++) {
        const { interval, p } = pairOf('test', { onlyFirst, onlySecond, samples: 200 });
        expect(p < 0.05).toBe(interval[0] > 0 || interval[1] < 0);
      }
  });

  it('names the twin where that is better, and neither where chance explains it', () => {
    const sentence = (onlyFirst: number, onlySecond: number): string =>
      pairOf('validation', { onlyFirst, onlySecond, samples: 1000 }).sentence;
    expect(sentence(10, 40)).toContain('the twin is better by more');
    expect(sentence(20, 25)).toMatch(/so many samples do not tell which of these two models is the better one$/);
  });
});

describe('a model that was trained several times', () => {
  it('has the t interval of its mean, within 0 and 1', () => {
    const { mean, interval } = repeatsOf([0.91, 0.92, 0.93], 10_000);
    expect(mean).toBeCloseTo(0.92, 10);
    expect(interval[0]).toBeCloseTo(0.92 - 0.043027 / Math.sqrt(3), 5);
    expect(repeatsOf([0.9, 1], 10_000).interval).toEqual([expect.any(Number), 1]);
  });

  it('has a spread where all readings agree: they are in steps of a sample', () => {
    const { interval } = repeatsOf([0.9, 0.9, 0.9], 100);
    expect(interval[1] - interval[0]).toBeCloseTo((2 * 4.3027 * Math.sqrt(1 / 12)) / 100 / Math.sqrt(3), 4);
  });
});
