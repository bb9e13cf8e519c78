import { Worker } from 'node:worker_threads';
import { clipped, UserError } from '../../../base/errors.ts';
import { entryBeside } from '../../../base/process/entry.ts';
import { damagedModel } from '../../../formats/keras/config.ts';
import { readHdf5 } from '../../../formats/keras/hdf5.ts';
import type { Hdf5Group } from '../../../formats/keras/hdf5.ts';

/** Bytes of a file, and its name for messages. */
export interface Hdf5Job {
  readonly bytes: Uint8Array;
  readonly file: string;
}

export type Hdf5Outcome =
  { readonly content: Hdf5Group } | { readonly refusal: { readonly message: string; readonly hint: string } };

/** Seconds for a file, and bytes for which it gets a second more: on a machine with other work sound files take a fifth of this. */
const [PATIENCE, BYTES_A_SECOND] = [60, 1e6];

/**
 * Reads an HDF5 file in a thread of its own: its library is a WebAssembly program, which damaged files can crash, or keep busy for ever, and which
 * reads no other file after that. `UserError` for a damaged file. `patience` in seconds.
 */
export function readHdf5Apart(job: Hdf5Job, patience = PATIENCE): Promise<Hdf5Group> {
  const entry = entryBeside(import.meta.url, 'hdf5-thread');
  return entry === undefined ? readHdf5(job.bytes, job.file) : inThread(entry, job, patience);
}

async function inThread(entry: string, job: Hdf5Job, patience: number): Promise<Hdf5Group> {
  // The library prints a stack when it crashes; nobody needs it, so nobody reads the thread's output.
  const thread = new Worker(entry, { stdout: true, stderr: true });
  const seconds = patience + job.bytes.length / BYTES_A_SECOND;
  let timer: NodeJS.Timeout | undefined;
  try {
    const outcome = await new Promise<Hdf5Outcome>((resolve, reject) => {
      const fail = (fact: string): void => reject(damagedModel(job.file, fact));
      timer = setTimeout(() => fail(`its HDF5 part was not read after ${Math.ceil(seconds)} s`), 1000 * seconds);
      thread.once('message', resolve);
      thread.once('error', (error: unknown) => fail(`is no HDF5 file, or a damaged one (${reasonOf(error)})`));
      thread.once('exit', () => fail('is no HDF5 file, or a damaged one (its reader ended)'));
      thread.postMessage(job);
    });
    if ('content' in outcome) return outcome.content;
    throw new UserError(outcome.refusal.message, outcome.refusal.hint);
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}

function reasonOf(error: unknown): string {
  return clipped((error instanceof Error ? error.message : String(error)).split('\n')[0]!);
}
