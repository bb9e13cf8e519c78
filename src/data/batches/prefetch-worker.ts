import '../../features.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../base/errors.ts';
import { loadAugmentation } from '../augment/steps-of.ts';
import { batchCount, batchMaker } from './batches.ts';
import type { Batch } from './batches.ts';
import { loadTargets } from '../targets/registry.ts';
import { CONTROL } from './prefetch-protocol.ts';
import type { FromPrefetcher, PrefetchJob, WorkerSetup } from './prefetch-protocol.ts';

const { dataset, first, step, ahead, control } = workerData as WorkerSetup;

// Messages wait until somebody listens.
await loadTargets(dataset);

parentPort!.on('message', (message: PrefetchJob) => void follow(message));

async function follow({ job, options, slots }: PrefetchJob): Promise<void> {
  try {
    await loadAugmentation(options.augment);
    const make = batchMaker(dataset, options);
    const count = batchCount(dataset.count, options.batchSize);
    let made = 0;
    for (let index = (options.startBatch ?? 0) + first; index < count; index += step, made++) {
      if (!roomFor(made, job)) return;
      const batch = make(index, slots[made % ahead]);
      send({ job, batch: { ...batch, x: undefined } }, buffersOf(batch));
    }
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    send({ job, error: { name, message, stack, hint: error instanceof UserError ? error.hint : undefined } }, []);
  }
}

/** Sleeps until the reader has taken enough batches for one more; false if the reader has dropped this job. */
function roomFor(made: number, job: number): boolean {
  for (;;) {
    const changes = Atomics.load(control, CONTROL.changes);
    if (Atomics.load(control, CONTROL.job) !== job) return false;
    if (made - Atomics.load(control, CONTROL.taken) < ahead) return true;
    Atomics.wait(control, CONTROL.changes, changes);
  }
}

/** Buffers that are transferred to the reader instead of copied. */
function buffersOf({ ids, targets, weights, labelled }: Batch): ArrayBuffer[] {
  const optional = [weights, labelled].filter((array) => array !== undefined);
  return [ids, targets, ...optional].map((array) => array.buffer as ArrayBuffer);
}

function send(message: FromPrefetcher, transfer: ArrayBuffer[]): void {
  parentPort!.postMessage(message, transfer);
}
