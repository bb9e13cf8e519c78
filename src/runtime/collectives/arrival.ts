import { monotonicMs } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';

/** State of a call that all processes have to reach. */
export interface Arrival {
  /** True as soon as all have. Asked again and again. */
  readonly isWhole: () => boolean;
  /** Processes that have not come, as far as process 0 knows; the others know only when all have, and give none. */
  readonly missing: () => readonly number[];
}

/** Time that a wait may take until it asks who still lives, which `late` begins; `missing` then has the answer. */
interface Late {
  readonly late: () => void;
}

export interface Patience {
  readonly rank: number;
  /** Machine and process id of each process, for people: `node2, process 4711`. */
  readonly places: readonly string[];
  /** Seconds after which a process that does not come counts as stuck. */
  readonly seconds: number;
  readonly clock?: () => number;
  readonly pause?: (ms: number) => void;
}

/** Milliseconds in which a wait asks without a pause: most waits are shorter. */
const BUSY_MS = 0.2;
/** Milliseconds between two questions then. Processes that share a core compute in it. */
const PAUSE_MS = 0.1;
/** Seconds between signs of life of a living process. */
const ANSWER_SECONDS = 3;
/** Seconds that process 0 has to say who is missing, before the others say that it is process 0. */
const FIRST_SECONDS = 10;

/** Returns when all processes have come, with the milliseconds that it took; `UserError` that names the missing processes. A blocking call of the library would wait for ever. */
export function awaitAll(
  { isWhole, missing, late }: Arrival & Partial<Late>,
  { rank, places, seconds, clock = monotonicMs, pause = sleep }: Patience,
): number {
  const start = clock();
  const answers = late === undefined ? 0 : ANSWER_SECONDS;
  const limit = 1000 * (seconds + (rank === 0 ? answers : FIRST_SECONDS));
  let isLate = false;
  while (!isWhole()) {
    const waited = clock() - start;
    if (waited > 1000 * seconds && !isLate) {
      isLate = true;
      late?.();
    }
    if (waited > limit) throw stuck(rank === 0 ? missing() : [0], places, seconds);
    if (waited > BUSY_MS) pause(PAUSE_MS);
  }
  return clock() - start;
}

function stuck(missing: readonly number[], places: readonly string[], seconds: number): UserError {
  const who = missing.map((rank) => `process ${rank} of ${places.length} (${places[rank] ?? 'unknown'})`).join(', ');
  return new UserError(
    missing.length === 0
      ? `all ${places.length} processes have come to the same step, and do not hear of each other for ${seconds} s`
      : `${who}: not come to the step where the others have waited for ${seconds} s`,
    missing.length === 0
      ? 'Look after the network between the machines; the same command goes on from the last saved state.'
      : 'Look what it does there; the same command goes on from the last saved state. --rank-timeout SECONDS waits longer.',
  );
}

function sleep(ms: number): void {
  Atomics.wait(NEVER, 0, 0, ms);
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));
