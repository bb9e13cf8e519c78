import { timedSteps } from '../../bench/timing.ts';
import { findPython, torchOf } from '../../bench/processes.ts';
import type { CompiledStep } from '../../src/runtime/engine.ts';

/** A step that notes what it is asked for. */
function noting(): { step: Pick<CompiledStep, 'run' | 'runs'>; calls: [number, number][] } {
  const calls: [number, number][] = [];
  const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const step = {
    run: async (_feeds: object, at = -1) => {
      calls.push([at, 1]);
      await after(2);
      return {};
    },
    runs: async (feeds: readonly object[], at = -1) => {
      calls.push([at, feeds.length]);
      await after(40);
      return [];
    },
  };
  return { step, calls };
}

const feedsAt = (i: number) => ({ i: Int32Array.of(i) });

describe('the time of a step', () => {
  it('is that of a call where steps are handed over one by one', async () => {
    const { step, calls } = noting();
    expect((await timedSteps(step, feedsAt, { steps: 4 })).ms_per_step).toBeGreaterThan(1);
    expect(calls).toEqual(Array.from({ length: 8 }, (_, i) => [i, 1]));
  });

  it('is its share of a call where a training hands over many at once', async () => {
    const { step, calls } = noting();
    const { ms_per_step: ms } = await timedSteps(step, feedsAt, { steps: 64, perCall: 16 });
    expect(ms).toBeGreaterThan(39 / 16);
    expect(ms).toBeLessThan(39);
    expect(calls).toEqual(Array.from({ length: 8 }, (_, i) => [16 * i, 16]));
  });
});

describe('a Python with PyTorch', () => {
  it('may be a command on the path; one that cannot be run is refused', () => {
    expect(findPython('python3')).toBe('python3');
    expect(() => findPython('no-such-python')).toThrow('--python no-such-python: this command cannot be run');
    expect(findPython(undefined, ['no-such-python', 'python3'])).toBe('python3');
    expect(findPython(undefined, ['no-such-python'])).toBeUndefined();
  });

  it('says what it lacks', () => {
    // Without site packages there is none.
    expect(torchOf('false')).toMatch(/^false has no PyTorch/);
  });
});
