import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { UserError } from '../errors.ts';
import { asUserError } from '../files.ts';

/** User of this process; undefined on Windows, where temporary folders and caches lie in the folder of the user. */
const ownUser = (): number | undefined => process.geteuid?.();

/**
 * Makes the folder `name` of this user in `place`, which other users may share, or takes the one that is there. No other user can enter it.
 * `UserError` if somebody else has made it, or may enter it: they would see our files, or choose what we read.
 */
export function ownFolder(place: string, name: string): string {
  const own = ownUser();
  const folder = path.join(place, own === undefined ? name : `${name}-${own}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw asUserError(error, folder, 'write');
  }
  if (own === undefined) return folder;
  let received = 'a link, a file, or a folder of somebody else';
  try {
    const { user, isOwn, mode, close } = openFolder(folder);
    close();
    if (isOwn && (mode & 0o77) === 0) return folder;
    received = `a folder of the user ${user} with the mode 0${(mode & 0o777).toString(8)}`;
  } catch {
    // Links and files are not opened, nor folders that this user cannot enter.
  }
  throw new UserError(
    `${folder}: expected a folder of the user ${own} with the mode 0700, received ${received}`,
    'Remove it, or have it removed, or choose another place: TMPDIR names that of temporary files, LIMBECK_CACHE that of the cache.',
  );
}

interface OpenFolder {
  /** Path of the open folder, whatever is put in its place meanwhile; elsewhere than on Linux its name. */
  readonly here: string;
  /** User that owns it; undefined on Windows, as is that of this process. */
  readonly user: number | undefined;
  readonly isOwn: boolean;
  readonly mode: number;
  readonly close: () => void;
}

/** Opens a folder, which the caller closes. Throws for a link to one. */
export function openFolder(folder: string): OpenFolder {
  // Windows opens no folders.
  if (ownUser() === undefined) return { here: folder, user: undefined, isOwn: true, mode: 0, close: () => undefined };
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const descriptor = openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const { uid: user, mode } = fstatSync(descriptor);
  const open = `/proc/self/fd/${descriptor}`;
  return {
    here: existsSync(open) ? open : folder,
    user,
    isOwn: user === ownUser(),
    mode,
    close: () => closeSync(descriptor),
  };
}

/** Removes a folder with its content. Links in it are removed and never followed, also if another user puts a link in place of a folder during the removal. */
export function removeFolder(folder: string): void {
  if (!existsSync(folder)) return;
  const open = openFolder(folder);
  try {
    removeContent(open);
  } finally {
    open.close();
  }
  rmdirSync(folder);
}

/** Removes the files and folders of an open folder. */
export function removeContent({ here }: OpenFolder): void {
  for (const entry of readdirSync(here, { withFileTypes: true })) {
    const inside = path.join(here, entry.name);
    if (entry.isDirectory()) removeFolder(inside);
    else rmSync(inside, { force: true });
  }
}
