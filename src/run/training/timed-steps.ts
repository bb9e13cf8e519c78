import { monotonicMs, timedFor } from '../../base/clock.ts';
import type { Trainer } from '../../train/loop.ts';
import type { TrainingCost } from '../context.ts';

/** Milliseconds of steps that are not timed, in which memory is allocated and code compiled. */
const WARM_UP_MS = 500;

interface StepTimes extends Pick<TrainingCost, 'secondsPerStep' | 'processorPerStep'> {
  /** Seconds by which the first call, which allocates memory, takes longer. */
  readonly firstSeconds: number;
  /** True if a smaller batch, at the end of a pass, was among the steps. */
  readonly hasRest: boolean;
}

/** Takes steps until some that follow a warm-up are timed, of a training of `steps` steps. */
export async function timedSteps(trainer: Pick<Trainer, 'run' | 'position'>, steps: number): Promise<StepTimes> {
  const mark = (done: number) => ({ done, ms: monotonicMs(), processor: process.cpuUsage() });
  const begin = mark(0);
  let [first, from, half, now] = [begin, begin, begin, begin];
  let [whole, hasRest] = [0, false];
  const stop = new AbortController();
  // Processes that share the batches agree on the step before which they stop.
  for await (const { position, samples } of trainer.run({ signal: stop.signal })) {
    // Metrics of steps that one call takes come together.
    if (position.step !== trainer.position.step) continue;
    now = mark(position.step);
    if (first === begin) [first, whole] = [now, samples];
    // The first smaller batch, at the end of a pass over few samples, compiles a step of its own.
    const compiles: boolean = !hasRest && samples < whole;
    hasRest ||= compiles;
    if (now.done <= steps / 2 && (compiles || now.done <= 2 || now.ms - begin.ms < WARM_UP_MS)) {
      [from, half] = [now, now];
      continue;
    }
    const passed = now.ms - from.ms;
    const wanted = timedFor((passed * steps) / (now.done - from.done));
    if (passed <= wanted / 2) half = now;
    else if (passed >= wanted) stop.abort();
  }
  const secondsSince = (since: typeof now): number => (now.ms - since.ms) / 1000 / (now.done - since.done);
  // Code that is still being compiled makes steps slower, never faster.
  if (half.done < now.done && secondsSince(half) < secondsSince(from)) from = half;
  const secondsPerStep = secondsSince(from);
  const { user, system } = process.cpuUsage(from.processor);
  return {
    hasRest,
    firstSeconds: Math.max(0, (first.ms - begin.ms) / 1000 - first.done * secondsPerStep),
    secondsPerStep,
    processorPerStep: (user + system) / 1e6 / (now.done - from.done),
  };
}
