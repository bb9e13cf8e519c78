import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ownLaunch } from '../../base/process/environment.ts';
import type { RunProcesses } from '../../run/options.ts';

/** Connects the processes that a launcher started; undefined without a launcher. If this process ends with an error, all end. */
export async function startedProcesses(timeoutSeconds: number): Promise<RunProcesses | undefined> {
  const own = ownLaunch();
  if (own === undefined) return undefined;
  const { connections } = await import('../../run/processes/connections.ts');
  const connect = await connections.load(own.launcher);
  const { processesOf } = await import('../../run/processes/processes.ts');
  const place = `${hostname()}, process id ${process.pid}`;
  const group = connect(own.launch, { seconds: timeoutSeconds, place });
  process.on('exit', (code) => {
    if (code === 0) {
      group.finish();
      return;
    }
    // mpirun drops the unread output of a process that aborts.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READ_MS);
    group.abort(code);
  });
  return processesOf(group);
}

/** Milliseconds for the launcher to read the last output. */
const READ_MS = 500;
/** Milliseconds for process 0 to report an error that all processes found. */
const FIRST_MS = 2000;

/** Work of a process that prints nothing: it reports its own error only after process 0 had time to report a common one. */
export async function follower<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await delay(FIRST_MS);
    throw error;
  }
}
