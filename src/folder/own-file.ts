import { stat } from 'node:fs/promises';
import path from 'node:path';
import { clipped, UserError } from '../base/errors.ts';
import { fileInside } from '../base/folders/inside.ts';

/**
 * Path of a file in a run folder. All names from a run's files go through this function, because the run may come from a stranger. `UserError` for a
 * name or symbolic link that leads out of the folder, and for pipes and devices.
 */
export async function ownFile(folder: string, name: string, said = folder): Promise<string> {
  const file = await fileInside(folder, name);
  if (file === undefined)
    throw new UserError(
      `${said}: ${clipped(name)} leads out of the folder of the run`,
      'Put the file itself into the folder, or do not use this run: it may be made to reveal other files.',
    );
  const found = await stat(file).catch(() => undefined);
  if (found !== undefined && !found.isFile() && !found.isDirectory())
    throw new UserError(`${path.join(folder, name)}: it is no file`, 'Remove it; a run consists of files and folders.');
  return file;
}
