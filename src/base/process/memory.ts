import { constants } from 'node:buffer';
import { freemem, totalmem } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memoryText } from '../numbers.ts';

export { memoryText };

/** Bytes that this process can still allocate: the machine's free memory, or less under a container's limit. */
export function freeMemory(): number {
  // Node 20.13 and later.
  const { availableMemory } = process as { readonly availableMemory?: () => number };
  return availableMemory?.() ?? freemem();
}

/** Frees what nothing refers to. V8 does not see that memory outside of its heap, such as a model of ONNX Runtime, is about to be needed. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers are freed beside the program; the second call waits for that.
  for (const call of [collect, collect]) call();
}

/** Bytes of buffers from which a collection pays. */
const LARGE_BUFFERS = 2 ** 29;

/** `collectGarbage` where buffers take much memory: V8 leaves gigabytes of buffers that nothing refers to. */
export function freeBuffers(): void {
  if (process.memoryUsage().arrayBuffers > LARGE_BUFFERS) collectGarbage();
}

/** Reason why arrays of these sizes cannot be made, as the end of a sentence; undefined if they can. */
export function faultOfArrays(
  arrays: readonly { readonly values: number; readonly bytesEach: number }[],
  // On other systems, free memory excludes memory that the system would reclaim.
  free = process.platform === 'linux' ? freeMemory() : totalmem(),
): string | undefined {
  const bytes = arrays.reduce((sum, { values, bytesEach }) => sum + values * bytesEach, 0);
  if (bytes > free) return `take about ${memoryText(bytes)} of memory, and there are ${memoryText(free)}`;
  const most = constants.MAX_LENGTH;
  return arrays.some(({ values }) => values > most)
    ? `have more values than the ${most} of an array of this Node.js`
    : undefined;
}
