import { timeJobs } from '../../src/measure/page/timing.ts';

/** A clock that moves when a job runs, and by a little when it is read; `tick` is how coarse it is. */
function world(tick: number) {
  let time = 0;
  const now = (): number => {
    time += 0.001;
    return Math.floor(time / tick) * tick;
  };
  const job = (ms: number, opened: { count: number; open: number }) => ({
    open: () => {
      opened.count++;
      opened.open++;
      return Promise.resolve({
        run: () => Promise.resolve((time += ms)),
        close: () => opened.open--,
      });
    },
  });
  return { now, job };
}

describe('what the page measures with', () => {
  it('opens each model anew for every session, and closes it', async () => {
    const { now, job } = world(0.001);
    const [a, b] = [
      { count: 0, open: 0 },
      { count: 0, open: 0 },
    ];
    const results = await timeJobs([job(2, a), job(5, b)], 1, () => undefined, now);
    expect(a.count).toBeGreaterThanOrEqual(6);
    expect(b.count).toBe(a.count);
    expect([a.open, b.open]).toEqual([0, 0]);
    for (const [i, ms] of [2, 5].entries()) {
      expect(results[i]!.sessions).toHaveLength(a.count);
      for (const times of results[i]!.sessions) for (const time of times) expect(time).toBeCloseTo(ms, 1);
    }
  });

  it('sees through a clock that is coarser than a run', async () => {
    const { now, job } = world(1);
    const results = await timeJobs([job(0.13, { count: 0, open: 0 })], 1, () => undefined, now);
    for (const times of results[0]!.sessions) {
      for (const time of times) expect(Math.abs(time - 0.13)).toBeLessThan(0.07 * 0.13);
    }
  });

  it('gives every job one session, however little time there is, and leaves out one that fails', async () => {
    const { now, job } = world(0.001);
    const bad = { open: () => Promise.reject(new Error('no such operator')) };
    const results = await timeJobs([job(500, { count: 0, open: 0 }), bad], 0.1, () => undefined, now);
    expect(results[0]!.sessions).toHaveLength(1);
    expect(results[1]).toEqual({ sessions: [], failure: 'no such operator' });
  });
});
