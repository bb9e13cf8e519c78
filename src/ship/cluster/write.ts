import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { shown, UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { finishWhole, isLeft, writeWhole } from '../../base/folders/whole-folder.ts';

/** Contents by path relative to a folder. */
export type Files = ReadonlyMap<string, Uint8Array | string>;

/**
 * Files into a folder that is new or empty, or holds these very files: all of them or none where it is new, and otherwise none before all are written
 * beside them. Anything else there is refused, so that nothing that was edited is lost; with `force`, files of the same name are replaced and others
 * stay. What a killed attempt left does not count.
 */
export async function writeInto(folder: string, files: Files, force: boolean): Promise<void> {
  if (!force) await refuseOthers(folder, files);
  await writeWhole(folder, files);
}

async function refuseOthers(folder: string, files: Files): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  const remedy = 'Name another folder, or add --force to replace files of the same name there.';
  if (!found.isDirectory())
    throw new UserError(`${folder}: expected a folder, received a file`, 'Name another folder.');
  await finishWhole(folder);
  const others: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const name = path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/');
    if (isLeft(name.split('/')[0]!)) continue;
    const content = files.get(name);
    const isSame = content !== undefined && Buffer.from(content).equals(await readBytes(path.join(folder, name)));
    if (!isSame) others.push(name);
  }
  if (others.length === 0) return;
  throw new UserError(
    `${folder}: expected a new or empty folder, received one that holds ${shown(others.sort().slice(0, 3))}`,
    remedy,
  );
}
