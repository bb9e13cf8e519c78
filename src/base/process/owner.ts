import { readFile, readlink, stat, statfs } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';

/** A process that owns something, in the form written to files. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start time of the process in the system's units: distinguishes it from a later process with the same id. */
  readonly started: string;
  /**
   * PID namespace of `pid` (pid_namespaces(7)) and boot id of the machine, '' on systems without them: machines and containers may share a host name
   * without seeing each other's processes. The first namespace has the same name on every machine.
   */
  readonly namespace: string;
}

export async function thisProcess(): Promise<Owner> {
  return { pid: process.pid, host: hostname(), started: await startOf(process.pid), namespace: await ownNamespace() };
}

/** Undefined for other or incomplete text. */
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
    // Incomplete.
  }
  return undefined;
}

/**
 * True for a living process of this machine, false for a dead one; undefined for one invisible from here: on another machine or in another PID
 * namespace. A process from before a restart of this machine looks like another machine's, unless `note`, a file that it touches periodically while
 * it lives, is as old and on a local disk.
 */
export async function isAlive(owner: Owner, note?: string): Promise<boolean | undefined> {
  const currentNamespace = await ownNamespace();
  if (owner.host === hostname() && note !== undefined) {
    const { type } = await statfs(note).catch(() => ({ type: undefined }));
    const { mtimeMs } = await stat(note).catch(() => ({ mtimeMs: Infinity }));
    if (isOfEarlierStart(owner, currentNamespace, type) && mtimeMs < Date.now() - 1000 * uptime()) return false;
  }
  if (owner.host !== hostname() || (owner.namespace !== currentNamespace && !isWithoutBoot(owner, currentNamespace)))
    return undefined;
  const lives = await isSeen(owner);
  // A process that is not found may belong to another machine.
  return owner.namespace === currentNamespace || lives ? lives : undefined;
}

/** The first PID namespace of every Linux machine (PROC_PID_INIT_INO). */
const FIRST = 'pid:[4026531836]';
/** Local file systems by number (statfs(2)): ext4, XFS, Btrfs, F2FS, ZFS. Other machines write to them only through an export. */
const ON_DISK: readonly (number | undefined)[] = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1];

/**
 * True if a process of the first PID namespace has another boot id than `own`, also of a first namespace, and both have written to the same local
 * disk: the machine was restarted in between. Containers of systemd-nspawn and LXC have boot ids and PID namespaces of their own.
 */
export function isOfEarlierStart({ namespace }: Pick<Owner, 'namespace'>, own: string, fileSystem?: number): boolean {
  const [[space, boot], [ownSpace, ownBoot]] = [namespace.split(' '), own.split(' ')];
  const isFirst = space === FIRST && ownSpace === FIRST;
  return isFirst && boot !== undefined && ownBoot !== undefined && boot !== ownBoot && ON_DISK.includes(fileSystem);
}

/** True for an owner from versions without boot ids, in a PID namespace of the same name. */
function isWithoutBoot({ namespace }: Owner, own: string): boolean {
  return namespace === own.split(' ')[0];
}

/** True if a process with this id and start time exists. */
async function isSeen({ pid, started }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return (await startOf(pid)) === started;
}

/** Process and machine of an owner, for messages. */
export async function ownerText(owner: Owner): Promise<string> {
  const { pid, host, namespace } = owner;
  if (host !== hostname()) return `process ${pid} on ${host}`;
  return namespace === (await ownNamespace()) || (await isAlive(owner)) === true
    ? `process ${pid}`
    : `process ${pid} on ${host} (another machine or container of this name, or before a restart)`;
}

/** Name of this machine until its restart: several may share a host name. Containers on a machine with equal host names share it. */
export async function machineName(): Promise<string> {
  return `${hostname()} ${await bootId()}`.trim();
}

/** PID namespace of this process and boot id of its machine, separated by a space; '' on systems without them. */
async function ownNamespace(): Promise<string> {
  return `${await readlink('/proc/self/ns/pid').catch(() => '')} ${await bootId()}`.trim();
}

/** A new id for each start of each machine (random(4)); '' on other systems. */
async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

/** Field 22 of /proc/<pid>/stat; '' without such a file, and for a zombie. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}
