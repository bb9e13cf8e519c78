import { Stopwatch } from '../../src/base/clock.ts';

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
