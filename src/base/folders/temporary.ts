import { rmdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readText } from '../files.ts';
import { isAlive, parseOwner, thisProcess } from '../process/owner.ts';
import { openFolder, ownFolder, removeContent, removeFolder } from './own-folder.ts';

const OWNER = 'owner.json';

/** Attempts to remove a folder in which a program that was just ended may still write, and milliseconds between them. */
const [ATTEMPTS, PAUSE_MS] = [5, 100];

export interface TemporaryFolder {
  readonly path: string;
  /** Removes the folder and its content. */
  readonly remove: () => Promise<void>;
  /** Keeps the folder if the process exits before `remove`. */
  readonly keep: () => void;
}

/** Folder of this user in the folder for temporary files, which all users share. `UserError` if somebody else has taken its name. */
export function userFolder(): string {
  return ownFolder(tmpdir(), 'limbeck');
}

/**
 * Makes a folder in `place` for files of this process, with a name that begins with `prefix`. `remove` or the exit of the process removes it. Folders
 * of killed processes are removed by the next call of the same user on the same machine and in the same container, unless the machine was restarted
 * in between.
 */
export async function temporaryFolder(prefix: string, place = userFolder()): Promise<TemporaryFolder> {
  await removeLeft(prefix, place);
  const whole = await mkdtemp(path.join(place, prefix));
  const removeNow = (): void => {
    try {
      removeFolder(whole);
    } catch {
      // A program started by this process may still write to it; the next call removes it.
    }
  };
  const keep = (): void => void process.off('exit', removeNow);
  process.once('exit', removeNow);
  await writeFile(path.join(whole, OWNER), JSON.stringify(await thisProcess()));
  const filesFolder = path.join(whole, 'files');
  await mkdir(filesFolder);
  return {
    path: filesFolder,
    remove: async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          removeFolder(whole);
          break;
        } catch (error) {
          if (attempt === ATTEMPTS) throw error;
          await new Promise((resolve) => setTimeout(resolve, attempt * PAUSE_MS));
        }
      }
      keep();
    },
    keep,
  };
}

/**
 * Removes folders of dead processes of this user, machine and PID namespace. A folder without an owner may be just being made. Anybody can write the
 * name of a dead process into a folder of their own, so those of other users are left alone.
 */
async function removeLeft(prefix: string, place: string): Promise<void> {
  // The temporary folder may be unreadable.
  for (const name of await readdir(place).catch(() => []))
    if (name.startsWith(prefix)) await removeDead(path.join(place, name)).catch(() => undefined);
}

async function removeDead(folder: string): Promise<void> {
  const open = openFolder(folder);
  try {
    if (!open.isOwn) return;
    const owner = parseOwner(await readText(path.join(open.here, OWNER)));
    if (owner === undefined || (await isAlive(owner)) !== false) return;
    removeContent(open);
  } finally {
    open.close();
  }
  rmdirSync(folder);
}
