import { Worker } from 'node:worker_threads';

/** Bytes of a name. */
const LONGEST = 256;

/** The thread: it looks at the clock, as the one that reads may be in a loop without an end. */
const THREAD = `
const { workerData: { state, name, most } } = require('node:worker_threads');
const { writeSync } = require('node:fs');
setInterval(() => {
  const [since, length] = [Atomics.load(state, 0), Atomics.load(state, 1)];
  const { user, system } = process.cpuUsage();
  if (since < 0 || (user + system) / 1000 - since < most) return;
  writeSync(2, Buffer.from(name.slice(0, length)).toString() + ': not read within ' + most / 1000 + ' s of processor time\\n');
  process.kill(process.pid, 'SIGKILL');
}, 500);
`;

/** Ends the process when what it watches takes too long, by a signal that a loop cannot ignore, after it has said the name. */
export class Guard {
  readonly #state = new Int32Array(new SharedArrayBuffer(8)).fill(-1);
  readonly #name = new Uint8Array(new SharedArrayBuffer(LONGEST));
  readonly #thread: Worker;

  /** `most`: milliseconds of the processor. */
  constructor(most: number) {
    const workerData = { state: this.#state, name: this.#name, most };
    this.#thread = new Worker(THREAD, { eval: true, workerData });
    this.#thread.unref();
  }

  begin(name: string): void {
    const { written } = new TextEncoder().encodeInto(name, this.#name.subarray());
    const { user, system } = process.cpuUsage();
    Atomics.store(this.#state, 1, written);
    Atomics.store(this.#state, 0, Math.round((user + system) / 1000));
  }

  end(): void {
    Atomics.store(this.#state, 0, -1);
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}
