import { monotonicMs } from '../base/clock.ts';
import { InterruptedError } from '../base/errors.ts';
import type { OnProgress } from '../base/progress.ts';
import type { OnEvent } from '../base/events.ts';

/** Milliseconds between two events of progress. */
export const SHOW_EVERY_MS = 100;

/**
 * Reports the progress and remaining time of a stage, for one kind of work after another. Throws an `InterruptedError` if the run must stop; the next
 * start then repeats the work.
 */
export function progressOf(
  { onEvent, signal }: { readonly onEvent: OnEvent; readonly signal?: AbortSignal | undefined },
  stage: string,
  { clock = monotonicMs }: { readonly clock?: () => number } = {},
): OnProgress {
  let [current, start, before, shown] = ['', 0, clock(), -SHOW_EVERY_MS];
  return (what, done, total) => {
    if (signal?.aborted === true) throw new InterruptedError(`stopped ${stage}, ${what} ${done} of ${total}`);
    // The first item of a kind began when the last item of the previous kind ended.
    if (what !== current) [current, start] = [what, before];
    const now = (before = clock());
    if (done <= 0 || now - shown < SHOW_EVERY_MS) return;
    shown = now;
    const secondsLeft = ((total - done) * (now - start)) / 1000 / done;
    onEvent({ type: 'progress', stage, what, done, total, secondsLeft });
  };
}
