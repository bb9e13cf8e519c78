import type { Log } from '../../base/log.ts';
import type { Client } from '../batch/queue.ts';
import { Refusal } from '../refusal.ts';
import { FramedProcess } from '../worker/child.ts';
import { placeOfJob } from './effort.ts';
import type { Effort, JobPlace } from './effort.ts';
import { done } from './jobs.ts';
import type { Found, Given, JobKind } from './jobs.ts';
import { MOST_HEAP, MOST_WAITING, PATIENCE_MS } from './limits.ts';
import { packedParts, valueIn } from './messages.ts';
import type { BatchMessage, JobContent, ReadingOutcome } from './messages.ts';
import type { ReadingModel } from './model.ts';

/** Processes. The first one takes short jobs alone: a long one holds up no text. */
const PROCESSES = 2;
/** Short jobs that a process is given at a time, so that it need not wait for the next. */
const AHEAD = 32;

interface Waiting {
  readonly kind: JobKind;
  readonly model: ReadingModel;
  readonly given: unknown;
  /** True for a job that a process has by itself: a long one, or one of those that a process had when it ended. */
  readonly isAlone: boolean;
  readonly isLong: boolean;
  readonly client: Client | undefined;
  readonly settle: (outcome: ReadingOutcome | Refusal) => void;
}

/**
 * Reads bodies and writes answers: what takes little at once, all else in processes of their own, which have a limit of memory and of time. One that
 * ends is replaced, and the job that it had is refused; of several each is tried once more, by itself.
 */
export class Reader {
  readonly #entry: string;
  readonly #log: Log;
  readonly #waiting: Record<Exclude<JobPlace, 'here'>, Waiting[]> = { short: [], long: [] };
  readonly #processes: (ReadingProcess | undefined)[] = new Array<undefined>(PROCESSES).fill(undefined);
  #isClosed = false;

  /** `entry`: the compiled `process.js`. */
  constructor(entry: string, log: Log) {
    this.#entry = entry;
    this.#log = log;
  }

  /** Ids of its processes. */
  get pids(): readonly number[] {
    return this.#processes.flatMap((one) => one?.pid ?? []);
  }

  /** The result of a job. `Refusal` for what is wrong with its body, and for one that takes too much time or memory. */
  async run<K extends JobKind>(
    kind: K,
    model: ReadingModel,
    given: Given<K>,
    { client, ...effort }: Effort & { readonly client?: Client },
  ): Promise<Found<K>> {
    const place = placeOfJob(effort);
    if (place === 'here') return done(kind, model, given);
    const waiting = this.#waiting[place];
    if (waiting.length >= MOST_WAITING)
      throw new Refusal(503, 'too many bodies wait to be read', { reason: 'REJECTED', retryAfterSeconds: 1 });
    const outcome = await new Promise<ReadingOutcome | Refusal>((settle) => {
      const isLong = place === 'long';
      waiting.push({ kind, model, given, isAlone: isLong, isLong, client, settle });
      this.#give();
    });
    if (outcome instanceof Refusal) throw outcome;
    if ('refusal' in outcome) throw new Refusal(outcome.refusal.status, outcome.refusal.message, outcome.refusal);
    if ('bug' in outcome) throw new Error(outcome.bug);
    return outcome.found as Found<K>;
  }

  close(): Promise<unknown> {
    this.#isClosed = true;
    return Promise.all(this.#processes.flatMap((one) => one?.end() ?? []));
  }

  /** Gives jobs to processes that have room. */
  #give(): void {
    for (const place of ['short', 'long'] as const)
      for (const waiting = this.#waiting[place]; waiting.length > 0;) {
        if (waiting[0]!.client?.aborted === true) {
          waiting.shift()!.settle(new Refusal(499, 'the client is gone', { reason: 'CANCELED' }));
          continue;
        }
        const process = this.#free(place, waiting[0]!.isAlone);
        if (process === undefined) break;
        process.give(waiting.shift()!);
      }
  }

  /** The least busy process that has room for a job, started where there is none. */
  #free(place: Exclude<JobPlace, 'here'>, isAlone: boolean): ReadingProcess | undefined {
    let best: ReadingProcess | undefined;
    for (let i = place === 'long' ? 1 : 0; i < PROCESSES; i++) {
      // The second one is started for long jobs, and where the first one is busy.
      if (this.#processes[i] === undefined && best?.busy === 0) continue;
      if (i > 0 && place === 'short' && this.#waiting.long.length > 0) break;
      const found = (this.#processes[i] ??= this.#start(i));
      if (found.busy < (best?.busy ?? (isAlone ? 1 : AHEAD))) best = found;
    }
    return best;
  }

  #start(at: number): ReadingProcess {
    const process = new ReadingProcess(
      this.#entry,
      () => this.#give(),
      (left, why) => {
        if (this.#processes[at] === process) this.#processes[at] = undefined;
        if (this.#isClosed) return;
        this.#log.write('warn', `a process that reads bodies ended (${why}) and is replaced`);
        for (const job of left.reverse())
          this.#waiting[job.isLong ? 'long' : 'short'].unshift({ ...job, isAlone: true });
        this.#give();
      },
    );
    return process;
  }
}

/** The server's side of a process that reads. It does its jobs in their order. */
class ReadingProcess {
  readonly #child: FramedProcess<BatchMessage, BatchMessage>;
  readonly #onRoom: () => void;
  readonly #jobs: Waiting[] = [];
  /** Those that are sent at the end of this turn, together. */
  #unsent: JobContent[] = [];
  /** The model of each name that it was told of last. */
  readonly #known = new Map<string, ReadingModel>();
  #timer: NodeJS.Timeout | undefined;
  #isLate = false;

  /** `onEnd` is given the jobs that it has not begun. */
  constructor(entry: string, onRoom: () => void, onEnd: (left: Waiting[], why: string) => void) {
    const flags = [`--max-old-space-size=${MOST_HEAP}`];
    this.#child = new FramedProcess({ entry, flags }, (head: BatchMessage, body) =>
      this.#settle(valueIn(head, body) as ReadingOutcome[]),
    );
    this.#onRoom = onRoom;
    void this.#child.ended.then((why) => {
      clearTimeout(this.#timer);
      const left = this.#jobs.splice(0);
      // Of several any may be what ended it.
      const [only] = left.length === 1 ? left.splice(0) : [];
      only?.settle(faultOf(only, this.#isLate, why));
      onEnd(left, why);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Jobs that it has; without room for others while it has one by itself. */
  get busy(): number {
    return this.#jobs[0]?.isAlone === true ? Infinity : this.#jobs.length;
  }

  give(job: Waiting): void {
    const { kind, model, given } = job;
    const isKnown = this.#known.get(model.name) === model;
    this.#known.set(model.name, model);
    this.#jobs.push(job);
    if (this.#unsent.push({ kind, name: model.name, given, ...(!isKnown && { model }) }) === 1)
      setImmediate(() => this.#send());
    if (this.#jobs.length === 1) this.#wait();
  }

  #send(): void {
    const { sizes, parts } = packedParts(this.#unsent);
    this.#unsent = [];
    this.#child.send({ sizes }, parts);
  }

  end(): Promise<unknown> {
    this.#child.kill();
    return this.#child.ended;
  }

  #settle(outcomes: readonly ReadingOutcome[]): void {
    clearTimeout(this.#timer);
    for (const outcome of outcomes) this.#jobs.shift()?.settle(outcome);
    if (this.#jobs.length > 0) this.#wait();
    this.#onRoom();
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#child.kill();
    }, PATIENCE_MS);
  }
}

/** Refusal of the job during which a process ended. */
function faultOf({ kind }: Waiting, isLate: boolean, why: string): Refusal {
  const isReading = kind === 'request' || kind === 'message' || kind === 'inputs';
  const [what, remedy] = isReading ? ['body', 'send it in parts'] : ['answer', 'send fewer samples'];
  const verb = isReading ? 'read' : 'write';
  if (isLate)
    return new Refusal(
      400,
      `the ${what} was not ${isReading ? 'read' : 'written'} after ${PATIENCE_MS / 1000} s: ${remedy}`,
    );
  // V8 ends a process whose heap is full by SIGABRT, and the limit of all memory by SIGKILL.
  if (/^SIG(ABRT|KILL)$/.test(why)) return new Refusal(413, `the ${what} takes too much memory to ${verb}: ${remedy}`);
  return new Refusal(
    400,
    `the ${what} cannot be ${isReading ? 'read' : 'written'}: the process that was at it ended (${why})`,
  );
}
