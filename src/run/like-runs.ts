import type { OnEvent } from '../base/events.ts';
import type { LikeRuns } from './context.ts';

/** Lets the first of several runs that has work to do say what all from it on will take. `onEvent` is that of these runs. */
export function toldOnce(onEvent: OnEvent): {
  readonly onEvent: OnEvent;
  readonly unlessTold: (likeRuns: LikeRuns) => LikeRuns | undefined;
} {
  let isTold = false;
  return {
    onEvent: (event) => {
      isTold ||= event.type === 'message' && event.forecast !== undefined;
      onEvent(event);
    },
    unlessTold: (likeRuns) => (isTold ? undefined : likeRuns),
  };
}
