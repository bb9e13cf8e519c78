import { realpath } from 'node:fs/promises';
import path from 'node:path';

/**
 * Path of a file by a name that another file gives it, from `folder`; undefined where the name, or a symbolic link on the way, leads out of
 * that folder. `also`: a folder that links may lead into.
 */
export async function fileInside(folder: string, name: string, also = folder): Promise<string | undefined> {
  const file = path.join(folder, name);
  if (path.isAbsolute(name) || leaves(path.resolve(folder), path.resolve(file))) return undefined;
  const [real, ...roots] = await Promise.all([file, folder, also].map(realPlace));
  return roots.every((root) => leaves(root, real!)) ? undefined : file;
}

/**
 * Path of a file that a model names as part of itself; undefined where it leads elsewhere: a model that somebody sent must not read what lies
 * there. Links may lead to where the model itself lies, as in the cache of Hugging Face, whose names all are links into one folder.
 */
export async function fileBeside(model: string, name: string): Promise<string | undefined> {
  const real = await realpath(model).catch(() => model);
  return fileInside(path.dirname(model), name, path.dirname(real));
}

/** Place of a file without links; of one that is not there that of the folder which it would be in. */
async function realPlace(file: string): Promise<string> {
  const folder = path.dirname(path.resolve(file));
  return realpath(file).catch(() => (folder === path.resolve(file) ? folder : realPlace(folder)));
}

function leaves(root: string, file: string): boolean {
  const from = path.relative(root, file);
  return from === '..' || from.startsWith(`..${path.sep}`) || path.isAbsolute(from);
}
