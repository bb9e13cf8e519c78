import type { Failure, Task, Told } from './messages.ts';

/** The part of the browser's world that starts a worker. */
interface WorkerWorld {
  readonly Worker: new (address: string) => StartedWorker;
}

interface StartedWorker {
  postMessage(message: object): void;
  terminate(): void;
  onmessage: ((event: { readonly data: Told }) => void) | null;
  onerror: ((event: { readonly message?: string; preventDefault(): void }) => void) | null;
}

type Outcome = Exclude<Told, { readonly kind: 'ready' | 'progress' }>;

/** The worker that reads and converts. It is started for the first task, and again after it was stopped. */
export class Helper {
  readonly #missing: readonly string[];
  #worker: Promise<StartedWorker> | undefined;
  #started: StartedWorker | undefined;
  #end: ((outcome: Outcome | undefined) => void) | undefined;

  /** `missing`: packages of runtimes that do not lie beside the page. */
  constructor(missing: readonly string[]) {
    this.#missing = missing;
  }

  /** Result of a task; undefined if it was stopped, as it is by the next task. */
  async perform(
    task: Task,
    onProgress: (told: Extract<Told, { readonly kind: 'progress' }>) => void,
  ): Promise<Outcome | undefined> {
    if (this.#end !== undefined) this.stop();
    return new Promise((resolve) => {
      const end = (outcome: Outcome | undefined): void => {
        if (this.#end !== end) return;
        this.#end = undefined;
        resolve(outcome);
      };
      this.#end = end;
      const fail = (failure: Failure): void => {
        this.#drop();
        end({ kind: 'failed', failure });
      };
      const start = async (): Promise<void> => {
        this.#worker ??= this.#start();
        const worker = await this.#worker;
        if (this.#end !== end) return;
        worker.onmessage = ({ data }) => {
          if (data.kind === 'progress') onProgress(data);
          else if (data.kind !== 'ready') end(data);
        };
        worker.onerror = (event) => {
          event.preventDefault();
          fail(CRASHED);
        };
        worker.postMessage({ ...task, missing: this.#missing });
      };
      start().catch((error: unknown) => fail({ message: `the page failed: ${(error as Error).message}` }));
    });
  }

  /** Ends the task at once, wherever it is. */
  stop(): void {
    this.#drop();
    this.#end?.(undefined);
  }

  #drop(): void {
    this.#started?.terminate();
    this.#started = undefined;
    this.#worker = undefined;
  }

  /** Starts the worker from a `blob:`, so that the policy of the page holds for it; as a classic script, in which LiteRT can load its own. */
  #start(): Promise<StartedWorker> {
    const { Worker } = globalThis as unknown as WorkerWorld;
    const script = new URL('worker.js', import.meta.url).href;
    const source = `import(${JSON.stringify(script)}).catch((error) => postMessage({ kind: 'failed', failure: { message: String(error) } }))`;
    const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const worker = new Worker(address);
    this.#started = worker;
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        URL.revokeObjectURL(address);
        if (data.kind === 'ready') resolve(worker);
        else if (data.kind === 'failed') reject(new Error(data.failure.message));
      };
      worker.onerror = ({ message = 'its worker does not start' }) => reject(new Error(message));
    });
  }
}

const CRASHED: Failure = {
  message: 'the worker of this page ended, mostly for want of memory',
  hint: 'Close other pages, or convert the file by the command line: limbeck export --from.',
};
