import type { CompiledStep } from '../src/runtime/engine.ts';
import { median } from './processes.ts';

const WARM_UP = 5;

/** Median milliseconds of a call, after some that are not counted. */
export async function timed(call: () => Promise<unknown>, calls: number): Promise<number> {
  for (let i = 0; i < WARM_UP; i++) await call();
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** Milliseconds of a step, handed over as a training does: `perCall` at once. At least three calls are timed. */
export async function timedSteps(
  step: Pick<CompiledStep, 'run' | 'runs'>,
  feedsAt: (step: number) => Parameters<CompiledStep['run']>[0],
  { steps, perCall = 1 }: { readonly steps: number; readonly perCall?: number | undefined },
): Promise<number> {
  let done = 0;
  const call = async (): Promise<void> => {
    const feeds = Array.from({ length: perCall }, (_, i) => feedsAt(done + i));
    if (perCall === 1) await step.run(feeds[0]!, done);
    else await step.runs!(feeds, done);
    done += perCall;
  };
  return (await timed(call, Math.max(3, Math.ceil(steps / perCall)))) / perCall;
}
