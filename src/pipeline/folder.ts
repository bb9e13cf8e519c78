import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { shown, UserError } from '../base/errors.ts';
import { exists, readText, removeHalfWritten, writeFileAtomic } from '../base/files.ts';
import { recipeDiff } from '../recipe/diff.ts';
import { completeRecipe } from '../recipe/load.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import { Ledger } from './ledger.ts';

/** What to do when the run folder holds a run of another recipe. */
export type Existing = 'ask' | 'fresh' | 'resume';

interface StoredRecipe {
  /** Where relative file names of the recipe start. */
  readonly base: string;
  /** The same, as seen from the run folder: right when a project is moved as a whole. Absent in older runs. */
  readonly baseFromHere?: string;
  readonly recipe: Recipe;
}

/** The recipe that a run folder belongs to; throws a `UserError` if it is not a run folder. */
export async function storedRecipe(folder: string): Promise<LoadedRecipe> {
  const file = path.join(folder, 'recipe.json');
  if (!(await exists(file))) {
    throw new UserError(
      `${folder}: not a run: it has no recipe.json`,
      'Name a folder under checkpoints, or start a run with `limbeck run recipe.yaml`.',
    );
  }
  let stored: StoredRecipe;
  try {
    stored = JSON.parse(await readText(file)) as StoredRecipe;
  } catch {
    throw new UserError(`${file}: not valid JSON`, 'Start the run again from its recipe with `limbeck run`.');
  }
  const { base, baseFromHere, recipe } = stored;
  const places = [...(baseFromHere === undefined ? [] : [path.resolve(folder, baseFromHere)]), base];
  const found = places.map((place) => completeRecipe(recipe, place));
  for (const loaded of found) if (await hasItsFiles(loaded.recipe)) return loaded;
  return found[0]!;
}

async function hasItsFiles(value: unknown): Promise<boolean> {
  if (typeof value === 'string') return !path.isAbsolute(value) || (await exists(value));
  if (typeof value !== 'object' || value === null) return true;
  for (const inner of Object.values(value)) if (!(await hasItsFiles(inner))) return false;
  return true;
}

/**
 * Make the folder ready for a run of this recipe; call it while holding the lock. A run of the same recipe goes on; one of
 * a changed recipe stops unless told what to do. Returns the recipe to follow and whether there is something to resume.
 */
export async function prepareFolder(
  folder: string,
  loaded: LoadedRecipe,
  existing: Existing,
): Promise<{ loaded: LoadedRecipe; resumed: boolean }> {
  await removeHalfWritten(folder);
  const isThere = await exists(path.join(folder, 'recipe.json'));
  if (isThere && existing === 'fresh') await empty(folder);
  else if (isThere) {
    const before = await storedRecipe(folder);
    // A run that failed before it had anything to lose simply starts with the corrected recipe.
    const { rows } = await Ledger.open(folder, () => undefined);
    const hasWork = rows.some(({ stage }) => stage !== 'data') || (await exists(path.join(folder, 'state')));
    const changes = hasWork ? recipeDiff(before.written, loaded.written) : [];
    if (changes.length > 0 && existing === 'resume') return { loaded: before, resumed: true };
    if (changes.length > 0) throw changed(folder, changes);
  }
  const { base, written } = loaded;
  const stored: StoredRecipe = { base, baseFromHere: path.relative(folder, base), recipe: written };
  await writeFileAtomic(path.join(folder, 'recipe.json'), `${JSON.stringify(stored, null, 2)}\n`);
  return { loaded, resumed: isThere && existing !== 'fresh' };
}

/** Refuse a folder that holds something else than a run, before anything is written to it. */
export async function refuseForeignFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) {
    throw new UserError(
      `${folder}: expected a folder, received a file`,
      'Remove it, or choose another place with --out.',
    );
  }
  const names = await readdir(folder);
  if (names.includes('recipe.json') || names.every(isTraceOfStart)) return;
  throw new UserError(
    `${folder}: this folder is not a run, received one that holds ${shown(names.slice(0, 3))}`,
    'Choose another folder with --out, another name with --set name=..., or remove it.',
  );
}

/** What a process killed right after its start leaves behind. */
function isTraceOfStart(name: string): boolean {
  return name.startsWith('lock') || name === 'log.jsonl' || (name.startsWith('.') && name.endsWith('.tmp'));
}

function changed(folder: string, changes: readonly string[]): UserError {
  return new UserError(
    `${folder}: the recipe of this run has changed:\n${changes.map((change) => `  ${change}`).join('\n')}`,
    'Add --fresh to start again with the changed recipe, or --resume to go on with the one that the run began with.',
  );
}

/**
 * A trained teacher and its answers stay: they carry the hash of everything they depend on, so they are used again only if
 * nothing about them has changed.
 */
async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name === 'lock' || name === 'soft-targets') continue;
    if (name !== 'state') await rm(path.join(folder, name), { recursive: true, force: true });
  }
  const state = path.join(folder, 'state');
  for (const name of await readdir(state).catch(() => [])) {
    if (!name.startsWith('teach-')) await rm(path.join(state, name), { force: true });
  }
}
