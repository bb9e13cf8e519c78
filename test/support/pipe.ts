import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Makes a named pipe (POSIX `mkfifo`): a file whose reader waits for whoever writes. Node has no call for it. */
export async function makePipe(file: string): Promise<void> {
  await promisify(execFile)('mkfifo', [file]);
}
