import { setTimeout as sleep } from 'node:timers/promises';
import type { TimedVariant } from './setting.ts';

/** Milliseconds from any origin. */
export type Clock = () => number;

/** A turn of one variant: at least so many runs, and so many milliseconds. */
export const TURN = { runs: 3, ms: 8 };
/** ONNX Runtime's threads go on spinning for a while after a run, which the next variant would pay for. */
const SETTLE_MS = 2;

/**
 * Milliseconds of a run. The first one allocates, lays out weights and, on a GPU, compiles: only the second one tells, and
 * the first where it took `mostMs` already.
 */
export async function warm(variant: TimedVariant, mostMs: number, clock: Clock): Promise<number> {
  const first = await timeOf(variant, clock);
  return first >= mostMs ? first : timeOf(variant, clock);
}

export async function takeTurn(variant: TimedVariant, clock: Clock): Promise<number[]> {
  await sleep(SETTLE_MS);
  const times: number[] = [];
  const first = await timeOf(variant, clock);
  let sum = 0;
  // A run that takes long by itself needs no second warm-up.
  const [runs, ms] = first > 4 * TURN.ms ? [1, 0] : [TURN.runs, TURN.ms];
  while (times.length < runs || sum < ms) {
    const took = await timeOf(variant, clock);
    times.push(took);
    sum += took;
  }
  return times;
}

async function timeOf({ run }: TimedVariant, clock: Clock): Promise<number> {
  const start = clock();
  const result = run();
  // Waiting for what is there already would cost a small model as much as its run.
  if (result instanceof Promise) await result;
  return clock() - start;
}
