import { realpath } from 'node:fs/promises';
import path from 'node:path';

/**
 * Path of a file by a name in another file, relative to `folder`; undefined if the name, or a symbolic link on the path, leads out of that folder.
 * `also`: another folder that links may lead into.
 */
export async function fileInside(folder: string, name: string, also = folder): Promise<string | undefined> {
  const file = path.join(folder, name);
  if (path.isAbsolute(name) || leaves(path.resolve(folder), path.resolve(file))) return undefined;
  const [real, ...roots] = await Promise.all([file, folder, also].map(realPlace));
  return roots.every((root) => leaves(root, real!)) ? undefined : file;
}

/**
 * Path of a file that a model names as its part; undefined if it leads elsewhere: a model from a stranger must not read other files. Links may lead
 * into the model's real folder, as in the cache of Hugging Face, where all names link into one folder.
 */
export async function fileBeside(model: string, name: string): Promise<string | undefined> {
  const real = await realpath(model).catch(() => model);
  return fileInside(path.dirname(model), name, path.dirname(real));
}

/** True if a path names a place in a folder, or leads into it by its real path. Links in the folder may lead anywhere: who made it chose them. */
export async function isNamedIn(folder: string, file: string): Promise<boolean> {
  if (!leaves(path.resolve(folder), path.resolve(file))) return true;
  return !leaves(await realPlace(folder), await realPlace(file));
}

/** Real path of a file without links; for a missing file, based on the real path of its folder. */
async function realPlace(file: string): Promise<string> {
  const folder = path.dirname(path.resolve(file));
  return realpath(file).catch(() => (folder === path.resolve(file) ? folder : realPlace(folder)));
}

function leaves(root: string, file: string): boolean {
  const from = path.relative(root, file);
  return from === '..' || from.startsWith(`..${path.sep}`) || path.isAbsolute(from);
}
