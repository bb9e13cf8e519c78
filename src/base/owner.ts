import { readFile, readlink, stat, statfs } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';

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
 * machine, or of another PID namespace. One from before this machine was started again looks like another machine's, unless `note`, a file that
 * its process touches again and again while it lives, is as old, and lies on a disk.
 */
export async function isAlive(owner: Owner, note?: string): Promise<boolean | undefined> {
  const own = await ownNamespace();
  if (owner.host === hostname() && note !== undefined) {
    const { type } = await statfs(note).catch(() => ({ type: undefined }));
    const { mtimeMs } = await stat(note).catch(() => ({ mtimeMs: Infinity }));
    if (isOfEarlierStart(owner, own, type) && mtimeMs < Date.now() - 1000 * uptime()) return false;
  }
  if (owner.host !== hostname() || (owner.namespace !== own && !isWithoutBoot(owner, own))) return undefined;
  const lives = await isSeen(owner);
  // One that is not seen may be another machine's.
  return owner.namespace === own || lives ? lives : undefined;
}

/** The first PID namespace of a machine, by the number that Linux gives it everywhere (PROC_PID_INIT_INO). */
const FIRST = 'pid:[4026531836]';
/** File systems on a disk of one machine, by their numbers (statfs(2)): ext4, XFS, Btrfs, F2FS, ZFS. Others write to them where it exports them. */
const ON_DISK: readonly (number | undefined)[] = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1];

/**
 * True for a process of the first PID namespace whose boot id is not that of `own`, another one of such a namespace, where both have written to the
 * same disk: then the machine was started again between them. Containers of systemd-nspawn and LXC have boot ids and PID namespaces of their own.
 */
export function isOfEarlierStart({ namespace }: Pick<Owner, 'namespace'>, own: string, fileSystem?: number): boolean {
  const [[space, boot], [ownSpace, ownBoot]] = [namespace.split(' '), own.split(' ')];
  const isFirst = space === FIRST && ownSpace === FIRST;
  return isFirst && boot !== undefined && ownBoot !== undefined && boot !== ownBoot && ON_DISK.includes(fileSystem);
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
