import { parentPort } from 'node:worker_threads';
import { UserError } from '../../../base/errors.ts';
import { readHdf5 } from '../../../formats/keras/hdf5.ts';
import type { Hdf5Group } from '../../../formats/keras/hdf5.ts';
import type { Hdf5Job, Hdf5Outcome } from './hdf5.ts';

/** The thread of `readHdf5Apart`: reads one file. */
parentPort!.once('message', ({ bytes, file }: Hdf5Job) => {
  void readHdf5(bytes, file).then(
    (content) => tell({ content }, buffersOf(content)),
    (error: unknown) => {
      // Anything else ends the thread.
      if (!(error instanceof UserError)) throw error;
      tell({ refusal: { message: error.message, hint: error.hint } });
    },
  );
});

function tell(outcome: Hdf5Outcome, handedOver: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(outcome, handedOver);
}

function buffersOf({ groups, arrays }: Hdf5Group): ArrayBuffer[] {
  const own = [...arrays.values()].map(({ data }) => data.buffer as ArrayBuffer);
  return [...new Set([...own, ...[...groups.values()].flatMap(buffersOf)])];
}
