import { monotonicMs } from '../base/clock.ts';
import { InterruptedError } from '../base/errors.ts';
import type { OnProgress } from '../base/progress.ts';
import type { OnEvent } from '../base/events.ts';

/** Milliseconds between two events of progress. */
export const SHOW_EVERY_MS = 100;

/**
 * Report of the progress and remaining time of a stage, for each of the things that it does one after another. `from`: number of things
 * that an earlier start has done. Throws an `InterruptedError` where the run is to stop; the next start then repeats this work.
 */
export function progressOf(
  { onEvent, signal }: { readonly onEvent: OnEvent; readonly signal?: AbortSignal | undefined },
  stage: string,
  { from = 0, clock = monotonicMs }: { readonly from?: number; readonly clock?: () => number } = {},
): OnProgress {
  let [current, start, before, shown] = ['', 0, clock(), -SHOW_EVERY_MS];
  return (what, done, total) => {
    if (signal?.aborted === true) throw new InterruptedError(`stopped ${stage}, ${what} ${done} of ${total}`);
    // The first of them was under way since the last of the others was done.
    if (what !== current) [current, start] = [what, before];
    const now = (before = clock());
    if (done <= from || now - shown < SHOW_EVERY_MS) return;
    shown = now;
    const secondsLeft = ((total - done) * (now - start)) / 1000 / (done - from);
    onEvent({ type: 'progress', stage, what, done, total, secondsLeft });
  };
}
