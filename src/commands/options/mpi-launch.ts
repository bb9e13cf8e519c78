import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { mpiLaunch } from '../../base/environment.ts';
import type { Collectives } from '../../runtime/collectives/collectives.ts';

/** The processes that mpirun has started with this one; undefined without mpirun. When this one ends with an error, all end. */
export async function startedTogether(timeoutSeconds: number): Promise<Collectives | undefined> {
  const launch = mpiLaunch();
  if (launch === undefined) return undefined;
  const { openMpi } = await import('../../runtime/collectives/mpi.ts');
  const place = `${hostname()}, process id ${process.pid}`;
  const together = openMpi(launch, { seconds: timeoutSeconds, place });
  process.on('exit', (code) => {
    if (code === 0) {
      together.finish();
      return;
    }
    // mpirun throws away the unread output of a process that aborts.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READ_MS);
    together.abort(code);
  });
  return together;
}

/** Milliseconds in which mpirun reads the last output. */
const READ_MS = 500;
/** Milliseconds in which process 0 can say what all of them found wrong. */
const FIRST_MS = 2000;

/** The work of a process that prints nothing: what only it found wrong it says after the first one had time to. */
export async function follower<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await delay(FIRST_MS);
    throw error;
  }
}
