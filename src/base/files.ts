import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { inPieces } from './bytes.ts';
import { UserError } from './errors.ts';
import { DEEPEST, isDeep } from './json.ts';

/** Content of a file: whole, or in parts that follow each other, which together may have more than 2 GiB. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array>;

/**
 * Writes a whole file or nothing: to a temporary file beside it, fsync, rename, fsync of the folder. A process killed at any moment leaves the old
 * file or the new one, never a mixture. For our own folders, which `removeHalfWritten` cleans; elsewhere use `writeWholeFile`.
 */
export async function writeFileAtomic(file: string, data: FileContent): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await makeFolder(folder);
    await writeSynced(temporary, data);
    await rename(temporary, file);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asUserError(error, file, 'write');
  }
}

/** Writes a file and waits until it is on the disk. */
export async function writeSynced(file: string, data: FileContent): Promise<void> {
  const handle = await open(file, 'w');
  try {
    const parts = typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder and its parents. Node's `recursive` is avoided: it reports ENOENT for a read-only file system, and never returns for one without
 * folders, such as /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if ((await stat(folder).catch(() => undefined))?.isDirectory() === true) return;
    const parent = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || (await exists(parent))) throw error;
    await makeFolder(parent);
    await makeFolder(folder);
  }
}

/** The outermost missing folder among a folder and its parents; undefined if all exist. */
export async function firstMissing(folder: string): Promise<string | undefined> {
  if (await exists(folder)) return undefined;
  return (await firstMissing(path.dirname(folder))) ?? folder;
}

/** Removes a folder and its parents up to `outermost`, as far as they are empty. */
export async function removeEmpty(folder: string, outermost: string): Promise<void> {
  // Another process may have started to use it.
  await rmdir(folder).catch(() => undefined);
  if (folder !== outermost) await removeEmpty(path.dirname(folder), outermost);
}

/** Names of temporary files of `writeFileAtomic`. */
const HALF_WRITTEN = /^\..+\.[0-9a-f]{12}\.tmp$/;

/** Removes half-written files of killed processes, in this folder and all below. No other process may be writing there. */
export async function removeHalfWritten(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && HALF_WRITTEN.test(entry.name))
      await rm(path.join(entry.parentPath, entry.name), { force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; there the rename must suffice.
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // Some file systems refuse fsync on a folder.
  } finally {
    await handle?.close();
  }
}

/**
 * Opens a file to read. `UserError` unless it is a regular file: opening a pipe without a writer would block a thread of Node.js for ever, which no
 * signal ends, and a device may have no end.
 */
export async function openToRead(file: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    requireRegular(await handle.stat());
    return handle;
  } catch (error) {
    await handle?.close();
    throw asUserError(error, file, 'read');
  }
}

/** Checks a file as `openToRead` does, for a library that opens it by name. */
export async function requireFile(file: string): Promise<void> {
  try {
    requireRegular(await stat(file));
  } catch (error) {
    throw asUserError(error, file, 'read');
  }
}

function requireRegular(found: Stats): void {
  if (found.isFile()) return;
  const code = found.isDirectory() ? 'EISDIR' : found.isFIFO() ? 'ESPIPE' : found.isSocket() ? 'ENXIO' : 'ENODEV';
  throw Object.assign(new Error(code), { code });
}

/** Reads a file of at most `most` bytes. Errors of the operating system become a `UserError` with the file's name and a remedy. */
export async function readBytes(file: string, most = Infinity): Promise<Uint8Array> {
  const handle = await openToRead(file);
  try {
    if (most < Infinity) refuseLong((await handle.stat()).size, most, file);
    return await handle.readFile();
  } catch (error) {
    throw asUserError(error, file, 'read');
  } finally {
    await handle.close();
  }
}

/** Maximum bytes of a text file. Files that programs write reach a tenth of it. */
const MOST_TEXT = 2 ** 27;

/** Fills an array with the next bytes of an open file; returns how many there were. */
export async function readInto(handle: FileHandle, bytes: Uint8Array): Promise<number> {
  let read = 0;
  for (const piece of inPieces(bytes))
    for (let at = 0; at < piece.length;) {
      const { bytesRead } = await handle.read(piece, at, piece.length - at);
      if (bytesRead === 0) return read;
      at += bytesRead;
      read += bytesRead;
    }
  return read;
}

/** Reads a UTF-8 text file. `UserError` if it is too long, or JSON that is nested too deeply. */
export async function readText(file: string): Promise<string> {
  const text = Buffer.from(await readBytes(file, MOST_TEXT)).toString('utf8');
  if (file.endsWith('.json')) refuseDeep(text, file);
  return text;
}

function refuseLong(size: number, most: number, file: string): void {
  if (size <= most) return;
  throw new UserError(
    `${file}: cannot read it: received ${size} bytes of text, expected at most ${most}`,
    'Check that this is the file that was meant.',
  );
}

function refuseDeep(text: string, file: string): void {
  if (!isDeep(text)) return;
  throw new UserError(
    `${file}: not usable JSON: nested more than ${DEEPEST} deep`,
    'Check that this is the file that was meant.',
  );
}

/** Like `readText`, for files that people write: another encoding is a `UserError` instead of wrong characters. */
export async function readUtf8(file: string): Promise<string> {
  const bytes = await readBytes(file, MOST_TEXT);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(
      `${file}: expected text in UTF-8, received ${bytes.length} bytes of another encoding or no text at all`,
      'Save it as UTF-8.',
    );
  }
}

export async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}

const FACTS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EISDIR: 'it is a folder',
  ESPIPE: 'it is a pipe',
  ENXIO: 'it is a socket',
  ENODEV: 'it is a device',
  ERR_FS_FILE_TOO_LARGE: 'it has more than 2 GiB, and this kind of file is read whole',
};

const REMEDIES: Record<string, string> = {
  ENOENT: 'Check the path; relative paths in a recipe start at the recipe file.',
  EISDIR: 'Name a file, not a folder.',
  ESPIPE: 'A pipe can be read only once; write what comes out of it into a file, and name that.',
  ENXIO: 'Name a file.',
  ENODEV: 'Name a file.',
  ENOTDIR: 'A part of this path is a file, not a folder; check the path.',
  EXDEV: 'A part of this folder lies on another file system; choose a folder without such links.',
  ENOTEMPTY: 'Another process has filled that folder; choose another one.',
  EEXIST: 'A file stands where a folder is needed; check the path.',
  EACCES: 'Change its permissions, or choose another place.',
  EPERM: 'Change its permissions, or choose another place.',
  EROFS: 'That file system is read-only; choose another place.',
  ENOSPC: 'Free some disk space and run the same command again; nothing that was saved before is lost.',
  EDQUOT:
    'Your quota of that disk is used up: free some space and run the same command again; nothing that was saved before is lost.',
  EFBIG:
    'A limit on the size of files is lower: raise it (ulimit -f) and run the same command again; nothing that was saved before is lost.',
  EIO: 'The disk or its connection is at fault: check it, then run the same command again.',
  ESTALE: 'The file system of another machine has lost it: run the same command again.',
  ENAMETOOLONG: 'That file system takes no name of this length; choose a shorter one.',
  ELOOP: 'Links lead in a circle; remove the one that does.',
  EMFILE: 'Too many files are open; raise the limit (ulimit -n).',
  ERR_FS_FILE_TOO_LARGE:
    'Divide it into smaller files, or store it in a form that is read by parts: docs/large-data.md.',
};

/** A `UserError` from an operating-system error about `file`; other errors are returned unchanged. */
export function asUserError(error: unknown, file: string, verb: 'read' | 'write'): unknown {
  // Not `instanceof Error`: errors of node's own modules come from another realm inside a vm context (jest).
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
  if (code === undefined || error instanceof UserError) return error;
  const remedy = REMEDIES[code];
  if (remedy === undefined) return error;
  const fact = FACTS[code] ?? code;
  return new UserError(`${file}: cannot ${verb} it: ${fact}`, remedy, { cause: error });
}
