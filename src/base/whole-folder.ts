import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from './errors.ts';
import { asUserError, exists, makeFolder, writeSynced } from './files.ts';
import { fileInside } from './inside.ts';
import { temporaryFolder } from './temporary.ts';

const PREFIX = '.limbeck-files-';

/** Folder in a temporary one whose files are all written, and are on their way to the folder that it lies in. */
const READY = 'ready';

/** Contents of files by their paths. */
type Files = ReadonlyMap<string, Uint8Array | string>;

/** True for a temporary folder of `writeWhole`, of a process that writes now or that was killed. */
export function isLeft(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * Writes files by their paths relative to `folder`, all of them or none: into a temporary folder beside it, which then gets its name, or in it where
 * it is there, from where they are moved when all are written. Files of the same name are replaced. What is killed while it moves them is finished by
 * the next call, or by `finishWhole`. `UserError` for what the file system refuses; where no file of them is to blame, it names `whole`.
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
 * Writes a file into a folder that others may write to as well, and `beside` it further ones, by their names: all of them or none, as `writeWhole`
 * does. A process that is killed leaves nothing that the next call would not remove.
 */
export async function writeWholeFile(
  file: string,
  data: Uint8Array | string,
  beside: Files = new Map(),
): Promise<void> {
  const folder = path.dirname(file);
  try {
    if (/[\\/]$/.test(file)) refuse('EISDIR');
    // Not by a folder that gets its name when all is written: another process may fill one at the same time.
    await makeFolder(folder);
  } catch (error) {
    throw asUserError(error, file, 'write');
  }
  await writeWhole(folder, new Map([[path.basename(file), data], ...beside]), file);
}

/**
 * Moves what a killed `writeWhole` had written and not moved yet into this folder, which is then as if nothing had happened. A file that was
 * written there since stays as it is.
 */
export async function finishWhole(folder: string): Promise<void> {
  // A folder for others may be closed to readers.
  for (const name of (await readdir(folder).catch(() => [])).filter(isLeft)) {
    const left = path.join(folder, name);
    if (!(await exists(path.join(left, READY))) || !(await isOurs(left))) continue;
    await moveAll(path.join(left, READY), folder, true);
    await rm(left, { recursive: true, force: true });
  }
}

/** False for a link, and for the folder of another user: in a folder for all, such as /tmp, it would replace files of ours. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  return found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
}

/** Two processes may do so at once: each file is moved by one of them. With `onlyNewer` files stay whose place was written to since. */
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
    // Files that somebody else has prepared, in a folder that was unpacked, go nowhere else by links in it.
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

/** True for a file whose place was written to after it. */
async function isOlder(source: string, to: string): Promise<boolean> {
  const there = await stat(to).catch(() => undefined);
  return there?.isFile() === true && there.mtimeMs > (await stat(source)).mtimeMs;
}

/** Refuses a place that a file cannot be moved to: known before the first one is. */
async function requirePlace(file: string, from: string): Promise<void> {
  const folder = path.dirname(file);
  await makeFolder(folder);
  if ((await stat(file).catch(() => undefined))?.isDirectory() === true) refuse('EISDIR');
  if ((await stat(folder)).dev !== (await stat(from)).dev) refuse('EXDEV');
}

function refuse(code: string): never {
  throw Object.assign(new Error(code), { code });
}
