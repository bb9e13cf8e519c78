import { setTimeout as sleep } from 'node:timers/promises';
import type { TimedVariant } from './setting.ts';

/** Clock in milliseconds from any origin. */
export type Clock = () => number;

/** Minimum runs and milliseconds of a variant's turn. */
export const TURN = { runs: 3, ms: 8 };
/** ONNX Runtime's threads spin for a while after a run, which would slow down the next variant. */
const SETTLE_MS = 2;

/**
 * Milliseconds of a run. The first run allocates memory, lays out weights and, on a GPU, compiles, so the second is returned; the first if it already
 * took `mostMs`.
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
  // A run that takes long needs no further warm-up.
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
  // Awaiting a value that is no promise would take a small model as long as its run.
  if (result instanceof Promise) await result;
  return clock() - start;
}
