import { StageClock } from '../../src/base/stage-clock.ts';

describe('the clock of stages', () => {
  it('counts every moment for one of them, in the order of their first time', () => {
    let now = 1000;
    const clock = new StageClock('start', () => now);
    now += 500;
    clock.enter('data');
    now += 2000;
    clock.enter('quantize');
    now += 3000;
    clock.enter('export');
    now += 250;
    clock.enter('quantize');
    now += 1000;
    expect(clock.untaken).toBe(6.75);
    expect([...clock.take()]).toEqual([
      ['start', 0.5],
      ['data', 2],
      ['quantize', 4],
      ['export', 0.25],
    ]);
    now += 100;
    expect(clock.untaken).toBeCloseTo(0.1);
    // What was taken is not given again; the stage goes on.
    expect([...clock.take()]).toEqual([['quantize', 0.1]]);
  });
});
