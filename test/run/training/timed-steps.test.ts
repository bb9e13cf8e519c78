import type { StepMetrics, Trainer } from '../../../src/train/loop.ts';

const { unstable_mockModule: mock } = import.meta.jest as unknown as {
  unstable_mockModule: (file: string, exports: () => object) => void;
};
let now = 0;
const clock = await import('../../../src/base/clock.ts');
mock('../../../src/base/clock.ts', () => ({ ...clock, monotonicMs: () => now }));
const { timedSteps } = await import('../../../src/run/training/timed-steps.ts');

/** Steps of these milliseconds and numbers of samples. */
function trainer(msOf: (step: number) => number, samplesOf: (step: number) => number = () => 8) {
  const position = { step: 0 };
  async function* run({ signal }: { readonly signal?: AbortSignal }) {
    while (signal?.aborted !== true) {
      now += msOf(position.step);
      const samples = samplesOf(position.step++);
      yield await Promise.resolve({ position: { ...position }, samples } as StepMetrics);
    }
  }
  return { run, position } as unknown as Pick<Trainer, 'run' | 'position'>;
}

describe('the steps of a rehearsal', () => {
  it('are timed without the first one and without those of the warm-up', async () => {
    const of = trainer((step) => (step === 0 ? 210 : now < 450 ? 20 : 10));
    const { secondsPerStep, firstSeconds, hasRest } = await timedSteps(of, 1000);
    expect(secondsPerStep).toBeCloseTo(0.01, 6);
    expect(firstSeconds).toBeCloseTo(0.2, 6);
    expect(hasRest).toBe(false);
  });

  it('are timed without the one that compiles the step for a smaller batch', async () => {
    // It comes after the warm-up, and again every hundred steps.
    const isRest = (step: number): boolean => step % 100 === 80;
    const of = trainer(
      (step) => (step === 80 ? 3000 : 10),
      (step) => (isRest(step) ? 4 : 8),
    );
    const { secondsPerStep, hasRest } = await timedSteps(of, 1000);
    expect(secondsPerStep).toBeCloseTo(0.01, 6);
    expect(hasRest).toBe(true);
  });

  it('are those of the second half where the first half is slower, as of code that is still being compiled', async () => {
    const start = now;
    const { secondsPerStep } = await timedSteps(trainer(() => (now - start < 750 ? 20 : 10)), 1000); // prettier-ignore
    expect(secondsPerStep).toBeCloseTo(0.01, 6);
    const slower = now;
    const other = await timedSteps(trainer(() => (now - slower < 750 ? 10 : 20)), 1000); // prettier-ignore
    expect(other.secondsPerStep).toBeGreaterThan(0.012);
  });
});
