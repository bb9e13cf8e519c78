import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { shown, UserError } from '../base/errors.ts';
import { asUserError, makeFolder } from '../base/files.ts';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the process, as the system counts it: tells a process from a later one with the same id. */
  readonly started: string;
}

/**
 * Keep a second process out of a run folder. A lock whose process is gone is taken over; one of another machine is not,
 * since nobody here can tell whether that process lives.
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const file = path.join(folder, 'lock');
  const owner: Owner = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
  await makeFolder(folder).catch((error: unknown) => {
    throw asUserError(error, folder, 'write');
  });
  for (let attempt = 0; attempt < 20; attempt++) {
    if (await create(file, JSON.stringify(owner))) return () => rm(file, { force: true });
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const other = parseOwner(text);
    // A lock without a readable owner is one that its process has not finished writing, or was killed while writing.
    if (other === undefined ? attempt < 10 : await isAlive(other)) {
      if (other !== undefined) throw inUse(folder, other);
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    await takeAway(file, text);
  }
  throw new UserError(`${file}: cannot get the lock of this run`, 'Remove the file if no other process works on it.');
}

async function create(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(text).finally(() => handle.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw asUserError(error, file, 'write');
  }
}

/** Remove a stale lock, but only that one: another process may have done the same and locked the run already. */
async function takeAway(file: string, stale: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  await rename(file, aside).catch(() => undefined);
  const text = await readFile(aside, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  if (text === stale) await rm(aside, { force: true });
  else await rename(aside, file);
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner>;
    const { pid, host, started } = owner;
    if (typeof pid === 'number' && typeof host === 'string' && typeof started === 'string')
      return { pid, host, started };
  } catch {
    // Not written to its end.
  }
  return undefined;
}

async function isAlive({ pid, host, started }: Owner): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return (await startOf(pid)) === started;
}

/** Field 22 of /proc/<pid>/stat; '' where there is no such file, and for a process that ended and was not waited for. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}

function inUse(folder: string, { pid, host }: Owner): UserError {
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  return new UserError(
    `${folder}: another process works on this run: the lock is that of ${shown(where)}`,
    'Wait for it, stop it, or give this run another name with --set name=...',
  );
}
