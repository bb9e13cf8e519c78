import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../errors.ts';
import { asUserError, exists, makeFolder, writeSynced } from '../files.ts';
import type { FileContent } from '../files.ts';
import { fileInside } from './inside.ts';
import { temporaryFolder } from './temporary.ts';

const PREFIX = '.limbeck-files-';

/** Sub-folder of a temporary folder whose files are complete and are being moved to the destination. */
const READY = 'ready';

/** Contents of files by their paths. */
type Files = ReadonlyMap<string, FileContent>;

/** True for a temporary folder of `writeWhole`, of a running or a killed process. */
export function isLeft(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * Writes files by their paths relative to `folder`, all or none: into a temporary folder beside it, which is then renamed, or, if the folder exists,
 * inside it, and moved when all are complete. Files of the same name are replaced. An interrupted move is completed by the next call or by
 * `finishWhole`. `UserError` for errors of the file system; unless they concern one of the files, it names `whole`.
 */
export async function writeWhole(folder: string, files: Files, whole = folder): Promise<void> {
  const isThere = await exists(folder);
  const place = isThere ? folder : path.dirname(path.resolve(folder));
  let at = whole;
  try {
    if (!isThere) await makeFolder(place);
    await finishWhole(place);
    const { path: made, remove, keep } = await temporaryFolder(PREFIX, place);
    const ready = path.join(path.dirname(made), READY);
    try {
      for (const [name, data] of files) {
        at = path.join(folder, name);
        await makeFolder(path.dirname(path.join(made, name)));
        await writeSynced(path.join(made, name), data);
      }
      for (const name of isThere ? files.keys() : []) {
        at = path.join(folder, name);
        await requirePlace(at, made);
      }
      at = whole;
      if (isThere) keep();
      await rename(made, isThere ? ready : folder);
    } catch (error) {
      await remove();
      throw error;
    }
    if (isThere) await moveAll(ready, folder);
    await remove();
  } catch (error) {
    throw asUserError(error, at, 'write');
  }
}

/**
 * Writes a file into a folder that others may write to, with further files `beside` it, by name: all or none, like `writeWhole`. The next call
 * removes whatever a killed process leaves.
 */
export async function writeWholeFile(file: string, data: FileContent, beside: Files = new Map()): Promise<void> {
  const folder = path.dirname(file);
  try {
    if (/[\\/]$/.test(file)) refuse('EISDIR');
    // Not by renaming a complete folder: another process may be filling one at the same time.
    await makeFolder(folder);
  } catch (error) {
    throw asUserError(error, file, 'write');
  }
  await writeWhole(folder, new Map([[path.basename(file), data], ...beside]), file);
}

/** Completes the move of an interrupted `writeWhole` into this folder. Files that have been written since are kept. */
export async function finishWhole(folder: string): Promise<void> {
  // The folder may be unreadable.
  for (const name of (await readdir(folder).catch(() => [])).filter(isLeft)) {
    const left = path.join(folder, name);
    if (!(await exists(path.join(left, READY))) || !(await isOurs(left))) continue;
    await moveAll(path.join(left, READY), folder, true);
    await rm(left, { recursive: true, force: true });
  }
}

/** False for a link, and for another user's folder: in a shared folder such as /tmp, it would replace our files. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  return found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
}

/** Two processes may do so at once: each file is moved by one of them. `onlyNewer`: keep files that have been written since. */
async function moveAll(from: string, folder: string, onlyNewer = false): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true }).catch(async (error: unknown) => {
    if (await exists(from)) throw error;
    return [];
  });
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const source = path.join(entry.parentPath, entry.name);
    const name = path.relative(from, source);
    const to = path.join(folder, name);
    // Symbolic links in an unpacked folder from somebody else must not lead outside of it.
    if (onlyNewer && (await fileInside(folder, name)) === undefined)
      throw new UserError(
        `${to}: it leads out of ${folder}, and ${path.dirname(from)} is to be moved there`,
        `Remove ${path.dirname(from)}: it is left of a process that was killed, or made by somebody else.`,
      );
    try {
      await makeFolder(path.dirname(to));
      if (!onlyNewer || !(await isOlder(source, to))) await rename(source, to);
    } catch (error) {
      if (await exists(source)) throw asUserError(error, to, 'write');
    }
  }
}

/** True if the destination was written after the file. */
async function isOlder(source: string, to: string): Promise<boolean> {
  const copy = await stat(to).catch(() => undefined);
  return copy?.isFile() === true && copy.mtimeMs > (await stat(source)).mtimeMs;
}

/** `UserError` for a destination that a file cannot be moved to, before the first is moved. */
async function requirePlace(file: string, from: string): Promise<void> {
  const folder = path.dirname(file);
  await makeFolder(folder);
  if ((await stat(file).catch(() => undefined))?.isDirectory() === true) refuse('EISDIR');
  if ((await stat(folder)).dev !== (await stat(from)).dev) refuse('EXDEV');
}

function refuse(code: string): never {
  throw Object.assign(new Error(code), { code });
}
