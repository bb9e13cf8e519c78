import { Worker } from 'node:worker_threads';

/**
 * A thread that ends this process with SIGKILL when its parent is gone, and when it takes more than `mostBytes` of memory. The end of stdin is not
 * seen during a call of the runtime, which may never return; what adopts an orphan is another process. A limit of V8's heap is none of buffers and of
 * native code, and V8 ends the process itself where it cannot collect in time.
 */
export function watchOver(mostBytes = Infinity): { readonly limit: (bytes: number) => void } {
  const thread = new Worker(WATCH, {
    eval: true,
    workerData: mostBytes,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  });
  thread.unref();
  return { limit: (bytes) => thread.postMessage(bytes) };
}

const WATCH = `
const { parentPort, workerData } = require('node:worker_threads');
const parent = process.ppid;
let most = workerData;
parentPort.on('message', (bytes) => { most = bytes; }).unref();
setInterval(() => {
  if (process.ppid !== parent || (most < Infinity && process.memoryUsage.rss() > most)) process.kill(process.pid, 'SIGKILL');
}, 20);`;
