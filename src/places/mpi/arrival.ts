import { monotonicMs } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';

/** Progress of a call that all processes must reach. */
export interface Arrival {
  /** True when all processes have arrived. Polled. */
  readonly isWhole: () => boolean;
  /** Processes that have not arrived. Only process 0 knows them; the others return none. */
  readonly missing: () => readonly number[];
}

/** `late`: called once when a wait takes long, to ask which processes live; `missing` then has the answer. */
interface Late {
  readonly late: () => void;
}

export interface Patience {
  readonly rank: number;
  /** Machine and process id of each process, for messages: `node2, process 4711`. */
  readonly places: readonly string[];
  /** Seconds after which a missing process counts as stuck. */
  readonly seconds: number;
  readonly clock?: () => number;
  readonly pause?: (ms: number) => void;
}

/** Milliseconds of polling without a pause: most waits are shorter. */
const BUSY_MS = 0.2;
/** Milliseconds between later polls, in which processes on the same core can compute. */
const PAUSE_MS = 0.1;
/** Seconds between signs of life of a living process. */
const ANSWER_SECONDS = 3;
/** Seconds that process 0 has to report missing processes, before the others report process 0 as missing. */
const FIRST_SECONDS = 10;

/**
 * Waits until all processes have arrived and returns the milliseconds; `UserError` names the missing processes. The library's blocking calls would
 * wait for ever.
 */
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
