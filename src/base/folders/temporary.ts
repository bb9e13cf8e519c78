import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readText } from '../files.ts';
import { isAlive, parseOwner, thisProcess } from '../process/owner.ts';

const OWNER = 'owner.json';

export interface TemporaryFolder {
  readonly path: string;
  /** Removes the folder and its content. */
  readonly remove: () => Promise<void>;
  /** Keeps the folder if the process exits before `remove`. */
  readonly keep: () => void;
}

/**
 * Makes a folder in `place` for files of this process, with a name that begins with `prefix`. `remove` or the exit of the process removes it. Folders
 * of killed processes are removed by the next call on the same machine and in the same container, unless the machine was restarted in between.
 */
export async function temporaryFolder(prefix: string, place = tmpdir()): Promise<TemporaryFolder> {
  await removeLeft(prefix, place);
  const whole = await mkdtemp(path.join(place, prefix));
  const removeNow = (): void => {
    try {
      rmSync(whole, { recursive: true, force: true });
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
      await rm(whole, { recursive: true, force: true, maxRetries: 5 });
      keep();
    },
    keep,
  };
}

/** Removes folders of dead processes of this machine and PID namespace. A folder without an owner may be just being made. */
async function removeLeft(prefix: string, place: string): Promise<void> {
  // The temporary folder may be unreadable.
  for (const name of await readdir(place).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const folder = path.join(place, name);
    const owner = parseOwner(await readText(path.join(folder, OWNER)).catch(() => ''));
    // Another user's folder cannot be removed.
    if (owner !== undefined && (await isAlive(owner)) === false)
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
