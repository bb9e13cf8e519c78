import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readText } from './files.ts';
import { isAlive, parseOwner, thisProcess } from './owner.ts';

const OWNER = 'owner.json';

export interface TemporaryFolder {
  readonly path: string;
  /** Removal of the folder with all that is in it. */
  readonly remove: () => Promise<void>;
  /** The folder stays where the process exits before `remove`. */
  readonly keep: () => void;
}

/**
 * A folder for files of this process in `place`, whose name begins with `prefix`. It goes with `remove`, and where the process exits before that. What a
 * process left that was killed goes when the next one makes such a folder on the same machine and in the same container, unless the machine was started
 * again between them.
 */
export async function temporaryFolder(prefix: string, place = tmpdir()): Promise<TemporaryFolder> {
  await removeLeft(prefix, place);
  const whole = await mkdtemp(path.join(place, prefix));
  const removeNow = (): void => {
    try {
      rmSync(whole, { recursive: true, force: true });
    } catch {
      // A program that was started may still write there; the next process removes it.
    }
  };
  const keep = (): void => void process.off('exit', removeNow);
  process.once('exit', removeNow);
  await writeFile(path.join(whole, OWNER), JSON.stringify(await thisProcess()));
  const own = path.join(whole, 'files');
  await mkdir(own);
  return {
    path: own,
    remove: async () => {
      await rm(whole, { recursive: true, force: true, maxRetries: 5 });
      keep();
    },
    keep,
  };
}

/** Removes the folders of processes of this machine and PID namespace that are gone. One that does not say whose it is may be just being made. */
async function removeLeft(prefix: string, place: string): Promise<void> {
  // A folder for temporary ones may be closed to readers.
  for (const name of await readdir(place).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const folder = path.join(place, name);
    const owner = parseOwner(await readText(path.join(folder, OWNER)).catch(() => ''));
    // Another user's cannot be removed.
    if (owner !== undefined && (await isAlive(owner)) === false)
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
