import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { exists } from '../base/files.ts';
import { isTeacherStage } from '../report/artifact.ts';
import { stateOf } from './states/checkpoint.ts';

/**
 * Folders inside a run's for the run that a fresh start replaces. It is kept until the new one has done work: a new run that is
 * refused for its data or its models gives it back. What is in `MOVING` belongs back in its place, whenever a process was killed.
 */
const [MOVING, KEPT, GONE] = ['.earlier-moving', '.earlier', '.earlier-gone'];

export const isEarlier = (name: string): boolean => [MOVING, KEPT, GONE].includes(name);

/** The run in a folder, out of the way of a new one. */
export async function setAside(folder: string): Promise<void> {
  const moving = path.join(folder, MOVING);
  await mkdir(moving, { recursive: true });
  for (const name of await partsOf(folder)) await move(path.join(folder, name), path.join(moving, name));
  await rename(moving, path.join(folder, KEPT));
}

/** The run that was set aside, in its place again instead of what came after it; false if there is none. */
export async function putBack(folder: string): Promise<boolean> {
  const [moving, kept] = [path.join(folder, MOVING), path.join(folder, KEPT)];
  await rm(path.join(folder, GONE), { recursive: true, force: true });
  if (await exists(kept)) {
    for (const name of await partsOf(folder)) await rm(path.join(folder, name), { recursive: true, force: true });
    await rename(kept, moving);
  }
  if (!(await exists(moving))) return false;
  for (const name of await partsOf(moving)) await move(path.join(moving, name), path.join(folder, name));
  await rm(moving, { recursive: true });
  return true;
}

/** Removal of the run that was set aside. */
export async function dropEarlier(folder: string): Promise<void> {
  const [kept, gone] = [path.join(folder, KEPT), path.join(folder, GONE)];
  if (!(await exists(kept))) return;
  // Renamed first: half of a run is not to be put back.
  await rename(kept, gone);
  await rm(gone, { recursive: true });
}

/**
 * What makes up a run, as paths in its folder. A trained teacher and its answers are nobody's: they carry the hash of everything that
 * they depend on, so they are used again only if nothing about them has changed.
 */
async function partsOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(
    (name) => name !== 'lock' && name !== 'soft-targets' && name !== 'state' && !isEarlier(name),
  );
  const states = await readdir(path.join(folder, 'state')).catch(() => []);
  const own = states.filter((name) => !isTeacherStage(stateOf(name)?.stage ?? ''));
  return [...names, ...own.map((name) => path.join('state', name))];
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await rm(to, { recursive: true, force: true });
  await rename(from, to);
}
