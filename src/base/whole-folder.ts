import { rename } from 'node:fs/promises';
import path from 'node:path';
import { asUserError, exists, makeFolder, writeSynced } from './files.ts';
import { temporaryFolder } from './temporary.ts';

const PREFIX = '.limbeck-files-';

/** True for a temporary folder of `writeWhole`, of a process that writes now or that was killed. */
export function isLeft(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * Writes files by their paths relative to `folder`, all of them or none: into a temporary folder beside it, which then gets its name, or in it where
 * it is there, from where they are moved when all are written. Files of the same name are replaced. `UserError` for what the file system refuses.
 */
export async function writeWhole(folder: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const isThere = await exists(folder);
  const place = isThere ? folder : path.dirname(path.resolve(folder));
  let at = folder;
  try {
    if (!isThere) await makeFolder(place);
    const { path: made, remove } = await temporaryFolder(PREFIX, place);
    try {
      for (const [name, data] of files) {
        at = path.join(folder, name);
        await makeFolder(path.dirname(path.join(made, name)));
        await writeSynced(path.join(made, name), data);
      }
      at = folder;
      if (!isThere) await rename(made, folder);
      else
        for (const name of files.keys()) {
          at = path.join(folder, name);
          await makeFolder(path.dirname(at));
          await rename(path.join(made, name), at);
        }
    } finally {
      await remove();
    }
  } catch (error) {
    throw asUserError(error, at, 'write');
  }
}
