import { parentPort } from 'node:worker_threads';
import { Refusal } from '../refusal.ts';
import { jobs } from './jobs.ts';
import type { ReadingJob, ReadingOutcome } from './reader.ts';

/** The thread that reads large bodies, one at a time. */
parentPort!.on('message', (job: ReadingJob) => {
  void outcomeOf(job).then((outcome) => {
    const buffers = 'found' in outcome ? buffersIn(outcome.found) : [];
    parentPort!.postMessage(outcome, buffers);
  });
});

async function outcomeOf({ kind, given }: ReadingJob): Promise<ReadingOutcome> {
  try {
    return { found: await (jobs[kind] as (value: unknown) => unknown)(given) };
  } catch (error) {
    if (!(error instanceof Refusal)) return { bug: String((error as Error).stack ?? error) };
    const { status, message, reason } = error;
    return { refusal: { status, message, reason } };
  }
}

/** Large buffers of a result, which are handed over instead of copied. */
function buffersIn(found: unknown, into = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(found)) {
    // Small ones may lie in a buffer that Node shares among them.
    if (found.buffer.byteLength > 2 ** 16) into.add(found.buffer as ArrayBuffer);
  } else if (Array.isArray(found)) for (const one of found.slice(0, 256)) buffersIn(one, into);
  else if (typeof found === 'object' && found !== null) for (const one of Object.values(found)) buffersIn(one, into);
  return [...into];
}
