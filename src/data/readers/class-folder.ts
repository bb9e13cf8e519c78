import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { asUserError } from '../../base/files.ts';

/** Names of sub-folders that are splits, not classes, in downloaded data sets. */
const SPLITS = new Set(['train', 'training', 'test', 'testing', 'val', 'valid', 'validation', 'dev', 'eval']);

/** Kind of file, with its words for messages: `images` in `PNG, JPEG or WebP`. */
interface FileKind {
  /** File name extensions, with the dot and in lower case. */
  readonly extensions: ReadonlySet<string>;
  readonly what: string;
  readonly kinds: string;
  /** Command that converts other kinds of files. */
  readonly convert?: string;
}

interface ClassFiles {
  readonly classNames: readonly string[];
  /** Files in order of their paths, class by class. */
  readonly files: readonly string[];
  /** Class of each file. */
  readonly values: Int32Array;
  /** Warnings, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Files of a sub-folder per class, at any depth, in order of their paths by code unit; sample ids count in this order. `UserError` if there are none.
 */
export async function classFiles(folder: string, kind: FileKind): Promise<ClassFiles> {
  const { extensions, what, kinds } = kind;
  const inside = await entries(folder);
  const classNames = inside.filter(({ isFolder }) => isFolder).map(({ name }) => name);
  if (classNames.length === 0) {
    throw new UserError(
      `${folder}: no sub-folders, expected one per class`,
      `Put the ${what} of class \`cat\` in a folder \`cat\`.`,
    );
  }
  if (classNames.every((name) => SPLITS.has(name.toLowerCase()))) {
    throw new UserError(
      `${folder}: its sub-folders are splits, not classes: ${classNames.join(', ')}`,
      `Name one split at a time, as in \`train: ${path.join(path.basename(folder), classNames.at(-1)!)}\`.`,
    );
  }
  const files: string[] = [];
  const others = inside.filter(({ isFolder }) => !isFolder).map(({ name }) => path.join(folder, name));
  const values: number[] = [];
  for (const [index, name] of classNames.entries()) {
    for (const file of await filesBelow(path.join(folder, name))) {
      if (!extensions.has(path.extname(file).toLowerCase())) {
        others.push(file);
        continue;
      }
      files.push(file);
      values.push(index);
    }
  }
  if (files.length === 0) {
    throw new UserError(
      `${folder}: no ${what} in its ${classNames.length} sub-folders${instead(others)}`,
      readHint(kind),
    );
  }
  const present = new Set(values);
  const without = classNames.find((_, index) => !present.has(index));
  if (without !== undefined)
    throw new UserError(
      `${folder}: no ${what} in the folder of class ${without}`,
      'Put some into it, or remove the folder.',
    );
  const left = `${folder}: ${others.length} of its files ignored, which are no ${kinds} in the folder of a class, such as ${others[0]!}`;
  return { classNames, files, values: Int32Array.from(values), notes: others.length === 0 ? [] : [left] };
}

/** All files of a kind in a folder, at any depth, in order of their paths. `UserError` if there are none. */
export async function allFiles(folder: string, kind: FileKind): Promise<Pick<ClassFiles, 'files' | 'notes'>> {
  const { extensions, what, kinds } = kind;
  const all = await filesBelow(folder);
  const isKind = (file: string): boolean => extensions.has(path.extname(file).toLowerCase());
  const [files, others] = [all.filter(isKind), all.filter((file) => !isKind(file))];
  if (files.length === 0) throw new UserError(`${folder}: no ${what} in it${instead(others)}`, readHint(kind));
  const left = `${folder}: ${others.length} of its files ignored, which are no ${kinds}, such as ${others[0]!}`;
  return { files, notes: others.length === 0 ? [] : [left] };
}

function instead([first]: readonly string[]): string {
  return first === undefined ? '' : `, but e.g. ${first}`;
}

function readHint({ extensions, convert }: FileKind): string {
  const read = `Files that end in ${[...extensions].join(', ')} are read`;
  return convert === undefined ? `${read}.` : `${read}; convert others, e.g. with \`${convert}\`.`;
}

async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name, isFolder } of await entries(folder)) {
    const full = path.join(folder, name);
    // One by one: a call takes no hundred thousand arguments.
    if (isFolder) for (const file of await filesBelow(full)) found.push(file);
    else found.push(full);
  }
  return found;
}

/** Sorted entries of a folder, without hidden files and the files that macOS adds to archives; links are followed. */
async function entries(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const all = await readdir(folder, { withFileTypes: true });
    const kept = all.filter(({ name }) => !name.startsWith('.') && name !== '__MACOSX');
    kept.sort((a, b) => (a.name < b.name ? -1 : 1));
    return await Promise.all(
      kept.map(async (entry) => ({
        name: entry.name,
        isFolder:
          entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(path.join(folder, entry.name)))),
      })),
    );
  } catch (error) {
    throw asUserError(error, folder, 'read');
  }
}

/** True for a link to a folder. `UserError` for a dangling link, or a link to a folder above it. */
async function leadsToFolder(link: string): Promise<boolean> {
  try {
    if (!(await stat(link)).isDirectory()) return false;
  } catch (error) {
    throw asUserError(error, link, 'read');
  }
  if (!(await leadsUp(link))) return true;
  throw new UserError(`${link}: it is a link to a folder that contains it`, 'Remove it: it leads back to itself.');
}

/** True for a link to a folder that contains the link, which would be followed forever. */
export async function leadsUp(link: string): Promise<boolean> {
  const [from, to] = await Promise.all([realpath(path.dirname(link)), realpath(link)]);
  return !path.relative(to, from).startsWith('..');
}
