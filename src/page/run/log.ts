import type { OnEvent, ProgressEvent, RunEvent } from '../../base/events.ts';
import type { StageSummary, TrainingCurve } from '../../report/types.ts';

/** End of a run; `message`: the reason, where it stopped before its end. */
export interface RunEnd {
  readonly status: 'finished' | 'stopped';
  readonly message?: string;
}

/** Results of a resumed run before this start. */
export interface RunBefore {
  readonly training: readonly TrainingCurve[];
  readonly stages: readonly StageSummary[];
}

/** Answer to a page that asks for events. */
export interface Told {
  /** Results of a resumed run before this start; only in the first answer. */
  readonly before?: RunBefore;
  readonly events: readonly RunEvent[];
  /** Number of events so far, to ask for later events. */
  readonly next: number;
  /** The latest of the stage that is going on. */
  readonly progress?: ProgressEvent;
  readonly end?: RunEnd;
}

/** Events of a run so far, for pages that ask for them again and again. */
export class RunLog {
  readonly #events: RunEvent[] = [];
  #progress: ProgressEvent | undefined;
  readonly #beforeNow: (folder: string) => Promise<RunBefore | undefined>;
  #before: Promise<RunBefore | undefined> = Promise.resolve(undefined);
  folder: string | undefined;
  end: RunEnd | undefined;

  /** `beforeNow`: finds the results of a resumed run before this start in its folder. */
  constructor(beforeNow: (folder: string) => Promise<RunBefore | undefined>) {
    this.#beforeNow = beforeNow;
  }

  readonly onEvent: OnEvent = (event) => {
    if (event.type === 'progress') {
      this.#progress = event;
      return;
    }
    if (event.type === 'stage' || event.type === 'done') this.#progress = undefined;
    if (event.type === 'run') {
      this.folder = event.folder;
      // Curves of earlier starts are worth seeing, but nothing that a run could fail of.
      if (event.resumed) this.#before = this.#beforeNow(event.folder).catch(() => undefined);
    }
    if (event.type !== 'saved') this.#events.push(event);
  };

  async since(place: number): Promise<Told> {
    const before = place === 0 ? await this.#before : undefined;
    return {
      ...(before !== undefined && { before }),
      events: this.#events.slice(place),
      next: this.#events.length,
      ...(this.#progress !== undefined && { progress: this.#progress }),
      ...(this.end !== undefined && { end: this.end }),
    };
  }
}
