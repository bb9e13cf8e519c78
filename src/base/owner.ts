import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A process that something belongs to, as it is written down. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the process, as the system counts it: tells a process from a later one with the same id. */
  readonly started: string;
}

export async function thisProcess(): Promise<Owner> {
  return { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
}

/** Undefined for a text that is none, or was not written to its end. */
export function parseOwner(text: string): (Owner & { readonly beats?: true }) | undefined {
  try {
    const { pid, host, started, beats } = JSON.parse(text) as Partial<Owner> & { readonly beats?: unknown };
    if (typeof pid === 'number' && typeof host === 'string' && typeof started === 'string')
      return { pid, host, started, ...(beats === true && { beats }) };
  } catch {
    // Not written to its end.
  }
  return undefined;
}

/** True for a process of this machine that lives, false for one that is gone; undefined for one of another machine. */
export async function isAlive({ pid, host, started }: Owner): Promise<boolean | undefined> {
  if (host !== hostname()) return undefined;
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
