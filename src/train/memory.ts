import type { OnEvent } from '../base/events.ts';
import { UserError } from '../base/errors.ts';
import { memoryText } from '../base/memory.ts';

/** Of the memory that is free: beyond it a training is told to be large. */
const LARGE = 0.5;

export interface MemoryNeed {
  readonly stage: string;
  readonly batchSize: number;
  /** Samples of the last batch of an epoch where it is smaller: a program with memory of its own. 0 where it is not. */
  readonly rest: number;
  /** What a step of a whole batch takes. */
  readonly bytes: number;
}

/**
 * Before the first step: `UserError` for a training that takes more memory than there is, a warning for one that takes more than
 * half of it. Else the system would end the process on the way.
 */
export function checkMemory({ stage, batchSize, rest, bytes }: MemoryNeed, free: number, onEvent: OnEvent): void {
  const needed = bytes * (1 + rest / batchSize);
  if (needed <= LARGE * free) return;
  const fact = `${stage}: steps of ${batchSize} samples take about ${memoryText(needed)} of memory`;
  // The estimate is close to proportional to the batch, so half of what is free holds this many.
  const fitting = 2 ** Math.floor(Math.log2(Math.max(1, (LARGE * free * batchSize) / needed)));
  const remedy = `batchSize: ${fitting} takes about ${memoryText((needed * fitting) / batchSize)}.`;
  if (needed > free)
    throw new UserError(`${fact}, and ${memoryText(free)} are free`, `Lower the batch size: ${remedy}`);
  onEvent({ type: 'warning', message: `${fact}, more than half of the ${memoryText(free)} that are free; ${remedy}` });
}
