import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A process that something belongs to, as it is written down. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the process, as the system counts it: tells a process from a later one with the same id. */
  readonly started: string;
  /**
   * PID namespace in which `pid` is its number (pid_namespaces(7)), '' where the system has none: containers can have one host name, and
   * do not see each other's processes.
   */
  readonly namespace: string;
}

export async function thisProcess(): Promise<Owner> {
  return { pid: process.pid, host: hostname(), started: await startOf(process.pid), namespace: await ownNamespace() };
}

/** Undefined for a text that is none, or was not written to its end. */
export function parseOwner(text: string): (Owner & { readonly beats?: true }) | undefined {
  try {
    const {
      pid,
      host,
      started,
      namespace = '',
      beats,
    } = JSON.parse(text) as Partial<Owner> & { readonly beats?: unknown };
    if ([host, started, namespace].every((part) => typeof part === 'string') && typeof pid === 'number')
      return { pid, host: host!, started: started!, namespace, ...(beats === true && { beats }) };
  } catch {
    // Not written to its end.
  }
  return undefined;
}

/**
 * True for a process of this machine that lives, false for one that is gone; undefined for one that cannot be seen from here: of another
 * machine, or of another PID namespace.
 */
export async function isAlive({ pid, host, started, namespace }: Owner): Promise<boolean | undefined> {
  if (host !== hostname() || namespace !== (await ownNamespace())) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return (await startOf(pid)) === started;
}

/** Process and place of an owner, for people. */
export async function ownerText({ pid, host, namespace }: Owner): Promise<string> {
  if (host !== hostname()) return `process ${pid} on ${host}`;
  return namespace === (await ownNamespace()) ? `process ${pid}` : `process ${pid} of another PID namespace on ${host}`;
}

/** Name of this machine until it is started again: several can have one host name. Containers of a machine that have one host name have one. */
export async function machineName(): Promise<string> {
  return `${hostname()} ${await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')}`.trim();
}

/** Name of this process' PID namespace; '' where the system has none. */
async function ownNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '');
}

/** Field 22 of /proc/<pid>/stat; '' where there is no such file, and for a process that ended and was not waited for. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}
