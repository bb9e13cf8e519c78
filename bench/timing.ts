import type { CompiledStep } from '../src/runtime/engine.ts';
import { median } from './processes.ts';

const WARM_UP = 3;
/** After this many seconds there are no more calls, once there were so many. */
const [SECONDS, LEAST] = [4, 5];

/** As bench/torch_step.py prints them, which times in the same way. */
export interface Times {
  readonly ms_per_step: number;
  readonly fastest_ms: number;
  /** Of all threads together: what other load disturbs least. */
  readonly cpu_ms_per_step: number;
}

/** Median milliseconds of a call, after some that are not counted. */
export async function timed(call: () => Promise<unknown>, calls: number): Promise<Times> {
  for (let i = 0; i < WARM_UP; i++) await call();
  const times: number[] = [];
  const [cpu, begin] = [process.cpuUsage(), performance.now()];
  while (times.length < calls && (times.length < LEAST || performance.now() - begin < SECONDS * 1000)) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    ms_per_step: median(times),
    fastest_ms: Math.min(...times),
    cpu_ms_per_step: (user + system) / 1000 / times.length,
  };
}

/** Milliseconds of a step, handed over as a training does: `perCall` at once. */
export async function timedSteps(
  step: Pick<CompiledStep, 'run' | 'runs'>,
  feedsAt: (step: number) => Parameters<CompiledStep['run']>[0],
  { steps, perCall = 1 }: { readonly steps: number; readonly perCall?: number | undefined },
): Promise<Times> {
  let done = 0;
  const call = async (): Promise<void> => {
    const feeds = Array.from({ length: perCall }, (_, i) => feedsAt(done + i));
    if (perCall === 1) await step.run(feeds[0]!, done);
    else await step.runs!(feeds, done);
    done += perCall;
  };
  const times = await timed(call, Math.max(LEAST, Math.ceil(steps / perCall)));
  return {
    ms_per_step: times.ms_per_step / perCall,
    fastest_ms: times.fastest_ms / perCall,
    cpu_ms_per_step: times.cpu_ms_per_step / perCall,
  };
}
