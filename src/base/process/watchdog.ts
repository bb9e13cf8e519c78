import { Worker } from 'node:worker_threads';

interface WatchOptions {
  /** Bytes of memory beyond which this process ends. */
  readonly mostBytes?: number;
  /** True if it ends with its parent too. */
  readonly withParent?: boolean;
  /** Words for stderr before it ends for its memory. */
  readonly last?: string;
}

/** The thread that watches. */
interface Watch {
  readonly limit: (bytes: number) => void;
  readonly end: () => void;
}

/**
 * A thread that ends this process with SIGKILL when it takes too much memory, or when its parent is gone. The end of stdin is not seen during a call
 * of the runtime, which may never return; what adopts an orphan is another process. A limit of V8's heap is none of buffers and of native code, and V8
 * ends the process itself where it cannot collect in time.
 */
export function watchOver({ mostBytes = Infinity, withParent = false, last = '' }: WatchOptions): Watch {
  const thread = new Worker(WATCH, {
    eval: true,
    workerData: { mostBytes, withParent, last },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  });
  thread.unref();
  return { limit: (bytes) => thread.postMessage(bytes), end: () => void thread.terminate() };
}

const WATCH = `
const { parentPort, workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const parent = process.ppid;
let { mostBytes: most, withParent, last } = workerData;
parentPort.on('message', (bytes) => { most = bytes; }).unref();
setInterval(() => {
  const isTooMuch = most < Infinity && process.memoryUsage.rss() > most;
  if (isTooMuch && last !== '') writeSync(2, last);
  if (isTooMuch || (withParent && process.ppid !== parent)) process.kill(process.pid, 'SIGKILL');
}, 20);`;
