import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import { shown, UserError } from '../base/errors.ts';
import { asUserError, makeFolder } from '../base/files.ts';
import { isAlive, ownerText, parseOwner, thisProcess } from '../base/process/owner.ts';
import type { Owner } from '../base/process/owner.ts';

interface Holder extends Owner {
  /** True if the process touches its lock periodically while it lives. */
  readonly beats?: boolean;
}

export interface LockOptions {
  /** Milliseconds between two touches of the lock. */
  readonly beatMs?: number;
  /** Milliseconds without a touch after which a process of another machine or container counts as dead. */
  readonly silentMs?: number;
  /** Called with a message while the lock of a process elsewhere is watched, which takes `silentMs`. */
  readonly onWait?: (message: string) => void;
  /** Called with a message when another process has taken over the lock because this process was silent for too long: it must stop writing. */
  readonly onLost?: (message: string) => void;
  /** Option that gives the run another name, for messages. */
  readonly rename?: string;
}

const BEAT_MS = 5000;
/** Many beats: a process may be busy in a long call of its engine, and a network file system may be slow. */
const SILENT_MS = 90_000;

/**
 * Locks a run folder against a second process. The lock of a dead process is taken over. A process on another machine or in a container counts as
 * alive while it touches its lock; its time stamps are compared only with each other, so clocks need not agree.
 */
export async function lockRun(
  folder: string,
  { beatMs = BEAT_MS, silentMs = SILENT_MS, onWait, onLost, rename: named = '--set name=...' }: LockOptions = {},
): Promise<() => Promise<void>> {
  const file = path.join(folder, 'lock');
  const owner: Holder = { ...(await thisProcess()), beats: true };
  const content = JSON.stringify(owner);
  await makeFolder(folder).catch((error: unknown) => {
    throw asUserError(error, folder, 'write');
  });
  for (let attempt = 0; attempt < 20; attempt++) {
    if (await create(file, content)) return held(file, content, beatMs, onLost);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const other = parseOwner(text);
    // A lock without a readable owner is being written, or its process was killed while writing.
    const lives = other && ((await isAlive(other, file)) ?? (await isTouched(file, other, silentMs, onWait)));
    if (lives ?? attempt < 10) {
      if (other !== undefined) throw await inUse(folder, other, named);
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    if (await takeOver(file, text, content)) return held(file, content, beatMs, onLost);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new UserError(`${file}: cannot get the lock of this run`, 'Remove the file if no other process works on it.');
}

/** Touches the lock until it is released or lost. A beat begins after the previous one has ended, so none queue up on a slow file system. */
function held(file: string, own: string, beatMs: number, onLost: LockOptions['onLost']): () => Promise<void> {
  const isOwn = async (): Promise<boolean> => (await readFile(file, 'utf8').catch(() => own)) === own;
  let ended = false;
  const beat = async (): Promise<void> => {
    if (await isOwn()) {
      const now = new Date();
      // If a touch fails, the next makes up for it.
      await utimes(file, now, now).catch(() => undefined);
    } else if (!ended) {
      ended = true;
      onLost?.(`${file}: another process has taken over this run, because this process gave no sign of life; it stops`);
    }
    next();
  };
  const next = (): void => {
    if (!ended) timer = setTimeout(() => void beat(), beatMs).unref();
  };
  let timer = setTimeout(() => void beat(), beatMs).unref();
  return async () => {
    ended = true;
    clearTimeout(timer);
    if (await isOwn()) await rm(file, { force: true });
  };
}

/** Watches the lock until it is touched, changes hands, or stays silent for too long. */
async function isTouched(
  file: string,
  other: Holder,
  silentMs: number,
  onWait: LockOptions['onWait'],
): Promise<boolean> {
  if (other.beats !== true) return true;
  const first = await stampOf(file);
  onWait?.(`${file}: ${await ownerText(other)} has this lock: waiting ${silentMs / 1000} s for a sign of its life`);
  for (let waited = 0; waited < silentMs; waited += silentMs / 20) {
    await new Promise((resolve) => setTimeout(resolve, silentMs / 20));
    if ((await stampOf(file)) !== first) return true;
  }
  return false;
}

/** Time of the last touch. Opening the file first makes NFS ask the server instead of its cache. */
async function stampOf(file: string): Promise<number | undefined> {
  const handle = await open(file, 'r').catch(() => undefined);
  try {
    return (await handle?.stat())?.mtimeMs;
  } finally {
    await handle?.close();
  }
}

async function create(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(text).finally(() => handle.close());
    // A process that saw the half-written lock for too long may have taken it over.
    return (await readFile(file, 'utf8').catch(() => undefined)) === text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw asUserError(error, file, 'write');
  }
}

/**
 * Replaces a stale lock, and no other, by the own. The process that makes the folder named after the stale lock may do so, after another look; later
 * processes find a new lock. True on success.
 */
async function takeOver(file: string, stale: string, own: string): Promise<boolean> {
  const ticket = `${file}.${sha256(stale).slice(0, 16)}`;
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(aside, own);
  try {
    if (!(await mkdir(ticket).then(always, never))) {
      // The process that made the ticket needs a moment; one that was killed then leaves the ticket behind. Both times are the file system's.
      const [made, now] = await Promise.all([ticket, aside].map((name) => stat(name).catch(() => undefined)));
      if (made !== undefined && now !== undefined && now.ctimeMs - made.ctimeMs > TICKET_MS)
        await rmdir(ticket).catch(never);
      return false;
    }
    const isStale = (await readFile(file, 'utf8').catch(() => undefined)) === stale;
    if (isStale) await rename(aside, file);
    await rmdir(ticket).catch(never);
    return isStale;
  } finally {
    await rm(aside, { force: true });
  }
}

const TICKET_MS = 10_000;
const always = (): boolean => true;
const never = (): boolean => false;

async function inUse(folder: string, owner: Owner, named: string): Promise<UserError> {
  return new UserError(
    `${folder}: another process works on this run: the lock is that of ${shown(await ownerText(owner))}`,
    `Wait for it, stop it, or give this run another name with ${named}`,
  );
}
