import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { exists } from '../base/files.ts';
import { isTeacherStage } from '../report/artifact.ts';
import { stateOf } from './states/checkpoint.ts';

/**
 * Sub-folders for the run that a fresh start replaces. It is kept until the new run has results: a new run that is refused for its data or models
 * restores it. Files in `MOVING` belong to the old run, whenever a process was killed.
 */
const [MOVING, KEPT, GONE] = ['.earlier-moving', '.earlier', '.earlier-gone'];

export const isEarlier = (name: string): boolean => [MOVING, KEPT, GONE].includes(name);

/** Sets the run in a folder aside for a new one. */
export async function setAside(folder: string): Promise<void> {
  const moving = path.join(folder, MOVING);
  await mkdir(moving, { recursive: true });
  for (const name of await partsOf(folder)) await move(path.join(folder, name), path.join(moving, name));
  await rename(moving, path.join(folder, KEPT));
}

/** Restores the run that was set aside and removes its successor; false if there is none. */
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

/** Removes the run that was set aside. */
export async function dropEarlier(folder: string): Promise<void> {
  const [kept, gone] = [path.join(folder, KEPT), path.join(folder, GONE)];
  if (!(await exists(kept))) return;
  // Renamed first, so that a half-removed run is never restored.
  await rename(kept, gone);
  await rm(gone, { recursive: true });
}

/**
 * Paths of a run's own files in its folder. A trained teacher and stored answers are excluded: keyed by a hash of everything that they depend on,
 * they are reused only if that is unchanged.
 */
async function partsOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(
    (name) => name !== 'lock' && name !== 'soft-targets' && name !== 'state' && !isEarlier(name),
  );
  const states = await readdir(path.join(folder, 'state')).catch(() => []);
  const studentStates = states.filter((name) => !isTeacherStage(stateOf(name)?.stage ?? ''));
  return [...names, ...studentStates.map((name) => path.join('state', name))];
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await rm(to, { recursive: true, force: true });
  await rename(from, to);
}
