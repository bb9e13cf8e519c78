import { monotonicMs } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';
import type { DeviceName } from '../../recipe/engines.ts';
import { byteLengthOf } from '../dtypes.ts';
import type { WireTensor } from '../types.ts';
import { FramedProcess } from './child.ts';
import { padded } from './frames.ts';
import type {
  DoneMessage,
  FromWorker,
  ModelMessage,
  ReadyMessage,
  Resources,
  RunMessage,
  TensorHead,
  ToWorker,
} from './messages.ts';

export interface WorkerOptions {
  /** The compiled `worker.js`. */
  readonly entry: string;
  readonly device: DeviceName | 'auto';
  readonly threads: number;
  /** A call that takes longer ends the process: nothing else would. */
  readonly runTimeoutMs: number;
  /** Bytes of memory that calls may take besides what the models take. */
  readonly callBytes: number;
  /** Milliseconds for all models to be loaded and tried out. */
  readonly loadTimeoutMs: number;
  /** True for a process that gets only processor time that nobody else wants. */
  readonly lowPriority?: boolean;
}

export interface ModelToLoad {
  readonly message: ModelMessage;
  /** Reads the bytes of the model, which are not held in memory. */
  readonly read: () => Promise<Uint8Array>;
}

export interface RunAnswer {
  readonly outputs: readonly WireTensor[];
  readonly inputMs: number;
  readonly inferMs: number;
  /** Start of this message's turn: when it was written, or when the one before had its answer. */
  readonly beganMs: number;
  /** Milliseconds from `beganMs` to its answer. */
  readonly totalMs: number;
}

/** The process of a worker has ended, whatever it was doing. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded';
}

/** The model refused the request, which would fail again. */
export class RunFailed extends Error {
  override readonly name = 'RunFailed';
}

interface Waiting {
  readonly since: number;
  readonly resolve: (answer: RunAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The server's side of one worker process. */
export class WorkerProcess {
  readonly ended: Promise<void>;
  readonly #child: FramedProcess<ToWorker, FromWorker>;
  readonly #options: WorkerOptions;
  readonly #waiting = new Map<number, Waiting>();
  #starting: { resolve: (ready: ReadyMessage) => void; reject: (error: Error) => void } | undefined;
  #next = 1;
  #gone = false;
  #isKilled = false;
  #answeredMs = 0;
  resources: Resources = { rssBytes: 0, cpuSeconds: 0 };

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#child = new FramedProcess(options, (head: FromWorker, body) => this.#receive(head, body));
    this.ended = this.#child.ended.then((why) => {
      // By the limit of its memory, or by the system's.
      const hint = why === 'SIGKILL' && !this.#isKilled ? ', perhaps for its memory (--max-memory)' : '';
      this.#end(new WorkerEnded(`the worker process ended: ${why}${hint}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Batches that it has been given and not answered. */
  get busy(): number {
    return this.#waiting.size;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** Load the models. `UserError` for a file that ONNX Runtime does not take, and for models that take too long; the process ends with those. */
  async start(models: readonly ModelToLoad[]): Promise<ReadyMessage> {
    const { loadTimeoutMs, device, threads, callBytes } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const ready = new Promise<ReadyMessage>((resolve, reject) => {
      this.#starting = { resolve, reject };
      timer = setTimeout(() => {
        const names = models.map(({ message }) => message.fileName).join(', ');
        reject(
          new UserError(
            `${names}: not loaded and tried out after ${loadTimeoutMs / 1000} s`,
            'Give it more time with --load-timeout SECONDS, or find out with `limbeck inspect` what takes so long.',
          ),
        );
        this.kill();
      }, loadTimeoutMs);
      if (this.#gone) reject(new WorkerEnded('the worker process ended at its start'));
      this.#sendAll(models).then(() => this.#child.send({ type: 'start', device, threads, callBytes }, []), reject);
    });
    return ready.finally(() => clearTimeout(timer));
  }

  /** Sends models one after another, so that one at a time is in memory. */
  async #sendAll(models: readonly ModelToLoad[]): Promise<void> {
    for (const { message, read } of models) {
      this.#child.send(message, [[await read()]]);
      await this.#child.drained();
    }
  }

  /** `parts`: the bytes of all inputs, in the order of `inputs`; those of one input may come in several pieces. */
  run(message: Omit<RunMessage, 'type' | 'id'>, parts: readonly (readonly Uint8Array[])[]): Promise<RunAnswer> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(new WorkerEnded('the worker process has ended'));
        return;
      }
      const timer = setTimeout(() => this.kill(), this.#options.runTimeoutMs);
      this.#waiting.set(id, { since: monotonicMs(), resolve, reject, timer });
      this.#child.send({ ...message, type: 'run', id }, parts);
    });
  }

  /** No more batches; it ends when it has answered those it has. */
  close(): void {
    this.#child.close();
  }

  kill(): void {
    this.#isKilled = true;
    this.#child.kill();
  }

  #receive(head: FromWorker, body: Uint8Array): void {
    if (head.type === 'ready') {
      this.resources = head;
      this.#starting?.resolve(head);
      this.#starting = undefined;
      return;
    }
    if (head.type === 'failed') {
      this.#starting?.reject(new UserError(head.message, head.hint));
      this.#starting = undefined;
      return;
    }
    const waiting = this.#waiting.get(head.id);
    if (waiting === undefined) return;
    this.#waiting.delete(head.id);
    clearTimeout(waiting.timer);
    if (head.type === 'error') waiting.reject(new RunFailed(head.message));
    else waiting.resolve(this.#answerOf(head, body, waiting.since));
  }

  #answerOf(done: DoneMessage, body: Uint8Array, since: number): RunAnswer {
    const { outputs, inputMs, inferMs } = done;
    this.resources = done;
    const beganMs = Math.max(since, this.#answeredMs);
    this.#answeredMs = monotonicMs();
    return { outputs: tensorsIn(outputs, body), inputMs, inferMs, beganMs, totalMs: this.#answeredMs - beganMs };
  }

  #end(error: WorkerEnded): void {
    this.#gone = true;
    this.#starting?.reject(error);
    this.#starting = undefined;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, timer } of all) {
      clearTimeout(timer);
      reject(error);
    }
  }
}

function tensorsIn(heads: readonly TensorHead[], body: Uint8Array): WireTensor[] {
  let at = 0;
  return heads.map((head) => {
    const size = byteLengthOf(head.dtype, head.shape);
    const bytes = body.subarray(at, at + size);
    at += padded(size);
    return { ...head, bytes };
  });
}
