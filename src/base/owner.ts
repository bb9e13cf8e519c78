import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A process that something belongs to, as it is written down. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the process, as the system counts it: tells a process from a later one with the same id. */
  readonly started: string;
  /**
   * PID namespace in which `pid` is its number (pid_namespaces(7)), and the boot id of its machine, '' where the system has neither: machines and
   * containers can have one host name, and do not see each other's processes. The first namespace has the same name on every machine.
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
 * machine, of another PID namespace, or from before this machine was started again, which looks like another machine.
 */
export async function isAlive(owner: Owner): Promise<boolean | undefined> {
  const own = await ownNamespace();
  if (owner.host !== hostname() || (owner.namespace !== own && !isWithoutBoot(owner, own))) return undefined;
  const lives = await isSeen(owner);
  // One that is not seen may be another machine's.
  return owner.namespace === own || lives ? lives : undefined;
}

/** True for an owner written before boot ids were, in a PID namespace of this one's name. */
function isWithoutBoot({ namespace }: Owner, own: string): boolean {
  return namespace === own.split(' ')[0];
}

/** True if a process of that number and start is there. */
async function isSeen({ pid, started }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return (await startOf(pid)) === started;
}

/** Process and place of an owner, for people. */
export async function ownerText(owner: Owner): Promise<string> {
  const { pid, host, namespace } = owner;
  if (host !== hostname()) return `process ${pid} on ${host}`;
  return namespace === (await ownNamespace()) || (await isAlive(owner)) === true
    ? `process ${pid}`
    : `process ${pid} on ${host} (another machine or container of this name, or before a restart)`;
}

/** Name of this machine until it is started again: several can have one host name. Containers of a machine that have one host name have one. */
export async function machineName(): Promise<string> {
  return `${hostname()} ${await bootId()}`.trim();
}

/** Name of this process' PID namespace and boot id of its machine, apart by a space; '' where the system has neither. */
async function ownNamespace(): Promise<string> {
  return `${await readlink('/proc/self/ns/pid').catch(() => '')} ${await bootId()}`.trim();
}

/** Another one for each start of each machine (random(4)); '' where the system has none. */
async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

/** Field 22 of /proc/<pid>/stat; '' where there is no such file, and for a process that ended and was not waited for. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}
