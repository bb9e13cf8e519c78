import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { parsedJson } from '../../base/json.ts';

/** True if a path names a folder. */
export function isFolder(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Names of the files of a folder in it, sorted; none for a missing folder. */
export function namesInHub(folder: string, sub = '.'): string[] {
  const place = path.join(folder, sub);
  return isFolder(place) ? readdirSync(place).sort() : [];
}

/**
 * Path of a file of a folder; undefined if there is none. `UserError` for a link that leads out of the folder, other than into `blobs` of the hub's
 * cache, where the files of all snapshots lie.
 */
export function hubFile(folder: string, name: string): string | undefined {
  const file = path.join(folder, name);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  const [real, root] = [realpathSync(file), realpathSync(folder)];
  const isSnapshot = path.basename(path.dirname(root)) === 'snapshots';
  const roots = [root, ...(isSnapshot ? [path.join(root, '..', '..', 'blobs')] : [])];
  if (roots.some((one) => real.startsWith(one + path.sep))) return regular(file);
  throw new UserError(
    `${folder}: its ${name} is a link out of the folder`,
    'Copy the file into the folder: other files are not read for a model.',
  );
}

/** The path of a file. `UserError` unless it is a regular one: reading a pipe would never end. */
export function regular(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file;
  throw new UserError(`${file}: expected a regular file`, 'Check the path, or get the file again.');
}

/** Content of a JSON file of a folder; undefined if there is none. `UserError` for another content. */
export function hubJson(folder: string, name: string): Readonly<Record<string, unknown>> | undefined {
  const file = hubFile(folder, name);
  if (file === undefined) return undefined;
  let content: unknown;
  try {
    content = parsedJson(readFileSync(file, 'utf8'));
  } catch (error) {
    throw noObject(folder, name, error);
  }
  if (typeof content === 'object' && content !== null) return content as Readonly<Record<string, unknown>>;
  throw noObject(folder, name);
}

function noObject(folder: string, name: string, cause?: unknown): UserError {
  const fact = cause instanceof Error ? ` (${cause.message.split('\n')[0]!})` : '';
  return new UserError(`${folder}: its ${name} is no JSON object${fact}`, 'Get the file again.', { cause });
}
