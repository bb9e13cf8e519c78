import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { entryBeside } from '../base/process/entry.ts';
import { InterruptedError, UserError } from '../base/errors.ts';
import type { OnEvent, RunEvent } from '../base/events.ts';
import type { RunStores } from '../folder/states/stores.ts';
import { engineOf } from '../setup/engine.ts';
import type { TrainedModel } from '../ship/export.ts';
import { revived } from './at-once-protocol.ts';
import type { FromProcess, Setup, ToProcess } from './at-once-protocol.ts';
import type { StageContext } from './context.ts';
import { filesKey } from './repeat-key.ts';
import type { Teaching } from './stages/teacher/given-teacher.ts';

const entry = entryBeside(import.meta.url, 'at-once-process');

/** A training of a student that depends on no other training. */
export interface Training {
  /** Stage whose saved states the training uses. */
  readonly stage: string;
  /** Trains the student; repeated calls give the same weights. `change` replaces parts of the run's context. */
  readonly train: (change?: Partial<Pick<StageContext, 'engine' | 'signal' | 'done'>>) => Promise<TrainedModel>;
}

/**
 * Makes these trainings up to their last saved state in `jobs` processes at once, this process included, each with its share of the threads. Small
 * networks do not fill several threads, and their trainings do not depend on each other. Does nothing without `jobs` or with a single unfinished
 * training. The weights equal those of trainings one after another.
 */
export async function trainAtOnce(
  { context, teaching }: { readonly context: StageContext; readonly teaching: Teaching | undefined },
  trainings: readonly Training[],
  stores: Pick<RunStores, 'folder' | 'ledger'>,
): Promise<void> {
  const { recipe } = context;
  const waiting = trainings.filter(({ stage }) => stores.ledger.find(stage) === undefined);
  const { lanes, share } = lanesOf(context, waiting.length);
  if ((recipe.jobs ?? 1) > 1 && waiting.length > 1 && context.processes.size > 1) {
    const message = 'jobs is left aside: the processes that mpirun has started share each training, one after another';
    context.onEvent({ type: 'message', message });
  }
  if (lanes === 1) return;
  const files = await filesKey(context, teaching);
  const setup = { folder: stores.folder, threads: share, files, saveEveryMs: context.saveEveryMs };
  context.onEvent({
    type: 'message',
    message: `${waiting.length} trainings, ${lanes} at once on ${share} ${share === 1 ? 'thread' : 'threads'} each`,
  });
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(context.signal === undefined ? [] : [context.signal])]);
  const others = Array.from({ length: lanes - 1 }, () => new TrainingProcess(entry!, setup, context.onEvent, signal));
  const engine = await engineOf({ ...recipe, threads: share });
  // The ledger gets its row later, when the run itself loads the finished state.
  const done = (): Promise<void> => Promise.resolve();
  const ways = [
    async ({ train }: Training): Promise<unknown> => train({ engine, signal, done }),
    ...others.map(
      (other) =>
        ({ stage }: Training) =>
          other.train(stage),
    ),
  ];
  const inTurn = async (train: (training: Training) => Promise<unknown>): Promise<void> => {
    try {
      for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) await train(next);
    } catch (error) {
      // After a failure in one process, the others save their states and stop.
      stop.abort();
      throw error;
    }
  };
  const ended = await Promise.allSettled(ways.map(inTurn));
  await Promise.all(others.map((other) => other.close()));
  const errors = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  const first = errors.find((error) => !(error instanceof InterruptedError)) ?? errors[0];
  if (first !== undefined) throw first;
}

/** Number of trainings that are made at once, and the threads of each. */
export function lanesOf(
  { recipe, processes }: Pick<StageContext, 'recipe' | 'processes'>,
  trainings: number,
): { readonly lanes: number; readonly share: number } {
  const { jobs = 1, threads } = recipe;
  const isAlone = jobs === 1 || trainings < 2 || entry === undefined || processes.size > 1;
  if (isAlone) return { lanes: 1, share: threads };
  // The share does not depend on how many trainings are unfinished: the number of threads changes the order of sums, and a resumed run must repeat
  // them.
  const share = Math.max(1, Math.floor((threads === 0 ? availableParallelism() : threads) / jobs));
  return { lanes: Math.min(jobs, trainings), share };
}

/** The first process' handle of a process that trains students for it. */
class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #onEvent: OnEvent;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #death: Error | undefined;
  #stage = '';

  constructor(entry: string, setup: Setup, onEvent: OnEvent, signal: AbortSignal) {
    this.#onEvent = onEvent;
    // `detached`: Ctrl-C in the terminal reaches the first process only, which tells this process to save.
    this.#child = fork(entry, [JSON.stringify(setup)], {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: FromProcess) => this.#receive(message));
    this.#ended = new Promise((resolve) => {
      const end = (why: string): void => {
        this.#death = new UserError(
          `the process that trained ${this.#stage} ended: ${why}`,
          'What it had saved is kept: start the run again, with `--set jobs=1` if there was too little memory.',
        );
        this.#waiting?.reject(this.#death);
        resolve();
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, killed) => end(killed ?? `exit code ${code}`));
    });
    const stop = (): void => this.#send({ stop: true });
    signal.addEventListener('abort', stop, { once: true });
    void this.#ended.then(() => signal.removeEventListener('abort', stop));
  }

  async train(stage: string): Promise<void> {
    this.#stage = stage;
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#death === undefined) this.#send({ train: stage });
      else reject(this.#death);
    }).finally(() => (this.#waiting = undefined));
  }

  /** Kills the process, which has nothing left to save. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #send(message: ToProcess): void {
    // A message that cannot be sent is ignored: the `exit` event reports the end of the process.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #receive(message: FromProcess): void {
    if ('event' in message) this.#tell(message.event);
    else if ('trained' in message) this.#waiting?.resolve();
    else if ('interrupted' in message) this.#waiting?.reject(new InterruptedError(message.interrupted));
    else this.#waiting?.reject(revived(message.failure));
  }

  /** Passes on an event of the training. Only the first process reports times of stages and draws the progress bar. */
  #tell(event: RunEvent): void {
    if (event.type === 'stage') {
      if (event.title === undefined) return;
      const from = event.resumedAt === undefined ? '' : `, from ${event.resumedAt}`;
      this.#onEvent({ type: 'message', message: `at the same time: ${event.title}${from}` });
    } else if (event.type === 'epoch') this.#onEvent({ ...event, isBeside: true });
    else if (event.type !== 'progress') this.#onEvent(event);
  }
}
