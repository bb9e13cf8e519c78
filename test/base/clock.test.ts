import { SaveTimer, Stopwatch } from '../../src/base/clock.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function* slow(ended: () => void): AsyncGenerator<number> {
  try {
    for (let i = 0; i < 3; i++) {
      await pause(30);
      yield i;
    }
  } finally {
    ended();
  }
}

it('counts the waiting for a sequence and not the work on its parts', async () => {
  const watch = new Stopwatch();
  let working = 0;
  const seen = [];
  const start = performance.now();
  for await (const value of watch.timed(slow(() => undefined))) {
    seen.push(value);
    const before = performance.now();
    await pause(60);
    working += performance.now() - before;
  }
  expect(seen).toEqual([0, 1, 2]);
  expect(watch.seconds).toBeGreaterThan(0.08);
  expect(1000 * watch.seconds).toBeLessThanOrEqual(performance.now() - start - working);
});

it('ends the sequence when its reader leaves', async () => {
  let isEnded = false;
  const parts = new Stopwatch().timed(slow(() => (isEnded = true)));
  expect((await parts.next()).value).toBe(0);
  await parts.return();
  expect(isEnded).toBe(true);
});

describe('the time to save again', () => {
  const now = performance.now.bind(performance);
  let time = 0;
  beforeEach(() => {
    performance.now = () => time;
  });
  afterEach(() => {
    performance.now = now;
  });

  it('comes after the interval, or a part of it at a good moment', () => {
    const timer = new SaveTimer(5000);
    time += 1500;
    expect([timer.isDue(), timer.isDue(1 / 5)]).toEqual([false, true]);
    time += 4000;
    expect(timer.isDue()).toBe(true);
  });

  it('comes later where a save takes long, so that saving takes a twentieth of the time', async () => {
    const timer = new SaveTimer(5000);
    await timer.save(async () => Promise.resolve(void (time += 2000)));
    time += 39_999;
    expect([timer.isDue(), timer.isDue(1 / 5)]).toEqual([false, false]);
    time += 2;
    expect(timer.isDue()).toBe(true);
  });

  it('comes with each question where the interval is 0', async () => {
    const timer = new SaveTimer(0);
    await timer.save(async () => Promise.resolve(void (time += 2000)));
    time += 1;
    expect(timer.isDue()).toBe(true);
  });
});
