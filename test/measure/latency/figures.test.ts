import { summarize } from '../../../src/measure/latency/figures.ts';

it('the median is that of the sessions, the slow runs are those of all of them', () => {
  const session = (from: number): number[] => Array.from({ length: 20 }, (_, i) => from + i);
  // Medians 19.5, 29.5 and 109.5; of all 60 runs the highest are 100 to 119.
  const figures = summarize([session(10), session(20), session(100)], 4);
  expect(figures).toMatchObject({ p50Ms: 29.5, runs: 60, sessions: 3, intervalMs: null });
  expect(figures.throughputPerSecond).toBeCloseTo(4000 / 29.5, 12);
  // Places 56.05 and 58.41 among places 0 to 59.
  expect(figures.p95Ms).toBeCloseTo(116.05, 10);
  expect(figures.p99Ms).toBeCloseTo(118.41, 10);
});

it('of sessions of unequal lengths no share of the runs is below the median', () => {
  const fast = new Array<number>(1000).fill(1);
  expect(summarize([fast, [9, 9, 9], [9, 9]], 1)).toMatchObject({ p50Ms: 9, p95Ms: 9, p99Ms: 9 });
});

it('six sessions have an interval, from their own medians', () => {
  const sessions = [1, 2, 3, 4, 5, 6].map((ms) => [ms, ms, 100 * ms]);
  expect(summarize(sessions, 1)).toMatchObject({ p50Ms: 3.5, intervalMs: [1, 6] });
});
