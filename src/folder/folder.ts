import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { shown, UserError } from '../base/errors.ts';
import { exists, readText, removeEmpty, removeHalfWritten, writeFileAtomic } from '../base/files.ts';
import { asNow } from '../recipe/gone.ts';
import { completeRecipe } from '../recipe/load.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import { isEarlier, putBack, setAside } from './replaced-run.ts';
import { finishedReport, writtenReport } from './report/finished.ts';
import { INPUTS_FILE } from './inputs.ts';
import { Ledger } from './states/ledger.ts';
import { ownFile } from './own-file.ts';
import { differences, noteOf } from './compute-place.ts';
import type { Place } from './compute-place.ts';
import { shardsOfStates } from './states/state-shards.ts';

/** Action if a run folder holds a run of another recipe. */
export type Existing = 'ask' | 'fresh' | 'resume';

interface StoredRecipe {
  /** Folder that relative file names of the recipe refer to. */
  readonly base: string;
  /** The same folder relative to the run folder: still right after a project is moved as a whole. Absent in older runs. */
  readonly baseFromHere?: string;
  readonly recipe: Recipe;
  /** A sentence for each time that the run was resumed with another engine or device. */
  readonly moves?: readonly string[];
}

export interface PreparedFolder {
  /** The recipe to run. */
  readonly loaded: LoadedRecipe;
  /** True if there are saved states to resume from. */
  readonly resumed: boolean;
  /** Notes for the report on changes of engine or device. */
  readonly moves: readonly string[];
  /** The last of these notes, if it concerns this start. */
  readonly moved?: string;
  /** Sentences on ignored parts of the given recipe, because the run continues with its original one, or on the loss of the original. */
  readonly left?: string;
}

/** The recipe stored in a run folder; `UserError` if it is no run folder. */
export async function storedRecipe(folder: string): Promise<LoadedRecipe> {
  const file = await ownFile(folder, 'recipe.json');
  if (!(await exists(file))) {
    throw new UserError(
      `${folder}: not a run: it has no recipe.json`,
      'Name a folder under checkpoints, or start a run with `limbeck run recipe.yaml`.',
    );
  }
  const stored = await readStored(file);
  if (stored === undefined) throw new UserError(`${file}: damaged: not the recipe of a run`, GO_ON);
  const { base, baseFromHere, recipe } = stored;
  const places = [...(baseFromHere === undefined ? [] : [path.resolve(folder, baseFromHere)]), base];
  const found = places.map((place) => stillRight(file, () => completeRecipe(recipe, place)));
  for (const loaded of found) if (await hasItsFiles(loaded.recipe)) return loaded;
  return found[0]!;
}

/** The stored recipe; undefined for a missing or damaged file. */
async function readStored(file: string): Promise<StoredRecipe | undefined> {
  if (!(await exists(file))) return undefined;
  const text = await readText(file);
  try {
    const stored = JSON.parse(text) as StoredRecipe;
    return typeof stored.base === 'string' && typeof stored.recipe === 'object' ? stored : undefined;
  } catch {
    return undefined;
  }
}

const GO_ON = 'Go on with the recipe that the run began with: `limbeck run recipe.yaml`.';

const START_AGAIN = 'Start the run again from its recipe with `limbeck run recipe.yaml --fresh`.';

/** `UserError` for a recipe from another version, with keys that this version does not know. */
function stillRight(file: string, complete: () => LoadedRecipe): LoadedRecipe {
  try {
    return complete();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${file}: ${error.message}`, START_AGAIN, { cause: error });
  }
}

async function hasItsFiles(value: unknown): Promise<boolean> {
  if (typeof value === 'string') return !path.isAbsolute(value) || (await exists(value));
  if (typeof value !== 'object' || value === null) return true;
  for (const inner of Object.values(value)) if (!(await hasItsFiles(inner))) return false;
  return true;
}

/**
 * Prepares the folder for a run of this recipe; call it while holding the lock. A run of the same recipe is resumed, on another engine or device too
 * unless it is finished; a changed recipe is an error unless `existing` decides. `fresh` sets the old run aside until `dropEarlier` removes it or
 * `putBack` restores it. `resume` continues with the original recipe, in the given `place`. `shards`: number of parts of a batch for a new run whose
 * recipe does not say; a resumed run keeps its own.
 */
export async function prepareFolder(
  folder: string,
  given: LoadedRecipe,
  existing: Existing,
  place: Place = {},
  shards?: number,
): Promise<PreparedFolder> {
  await putBack(folder);
  await removeHalfWritten(folder);
  const file = path.join(folder, 'recipe.json');
  const isThere = (await exists(file)) || (await hasWork(folder));
  const goesOn = isThere && existing !== 'fresh';
  if (isThere && !goesOn) await setAside(folder);
  const prepared = goesOn
    ? await goingOn(folder, given, existing === 'resume' ? place : undefined, shards)
    : { loaded: inShards(given, shards), resumed: false, moves: [] };
  const { base, written } = prepared.loaded;
  const stored: StoredRecipe = {
    base,
    baseFromHere: path.relative(folder, base),
    recipe: written,
    ...(prepared.moves.length > 0 && { moves: prepared.moves }),
  };
  await writeFileAtomic(file, `${JSON.stringify(stored, null, 2)}\n`);
  return prepared;
}

/** True if a run has results; without any it simply starts again, even with a changed recipe. */
async function hasWork(folder: string): Promise<boolean> {
  const { rows } = await Ledger.open(folder, () => undefined);
  if (rows.some(({ stage }) => stage !== 'data')) return true;
  // Trials of a search are runs with results of their own.
  for (const name of ['state', 'search']) if (await exists(path.join(folder, name))) return true;
  return false;
}

/** Removes the folders of a run that failed before it had read its data: its own folder, and `made`, which contains it. */
export async function removeUnbegun(folder: string, made: string): Promise<void> {
  const names = await readdir(folder).catch(() => undefined);
  if (names?.every((name) => isTraceOfStart(name) || name === 'recipe.json') === false) return;
  if (names !== undefined) await rm(folder, { recursive: true, force: true });
  await removeEmpty(folder, made);
}

/** Recipe of a run from its ledger or its report; undefined if neither has it. */
async function rememberedRecipe(folder: string): Promise<Recipe | undefined> {
  const { notes } = (await Ledger.open(folder, () => undefined)).find('data') ?? {};
  return asNow(notes?.['recipe'] ?? (await writtenReport(folder))?.recipe) as Recipe | undefined;
}

/** Resumes a run without a readable recipe.json with the given recipe, if ledger or report do not contradict it. */
async function withoutStored(
  folder: string,
  asked: LoadedRecipe,
  place: Place | undefined,
  shards: number | undefined,
): Promise<PreparedFolder> {
  const remembered = await rememberedRecipe(folder);
  const kept = remembered ?? (await shardsOfStates(folder)) ?? { shards: asked.recipe.shards ?? shards };
  const requested = inShards(asked, kept.shards);
  const { changes } = differences(remembered ?? { ...requested.written, shards: kept.shards }, requested.written);
  if (changes.length > 0) throw changed(folder, changes);
  const sure = remembered === undefined ? ', and whether the run began with it is unknown' : '';
  const left = `${path.join(folder, 'recipe.json')}: damaged or gone: going on with the recipe that is given${sure}`;
  return { loaded: place ? placed(requested, place) : requested, resumed: true, moves: [], left };
}

/** `place`: resume with the stored recipe there; absent: with the given recipe, which must be the same. */
async function goingOn(
  folder: string,
  asked: LoadedRecipe,
  place: Place | undefined,
  shards: number | undefined,
): Promise<PreparedFolder> {
  const stored = await readStored(path.join(folder, 'recipe.json'));
  if (!(await hasWork(folder))) {
    await rm(path.join(folder, INPUTS_FILE), { force: true });
    const begun = inShards(asked, shards);
    return { loaded: place ? placed(begun, place) : begun, resumed: true, moves: [] };
  }
  if (stored === undefined) return withoutStored(folder, asked, place, shards);
  const before = await storedRecipe(folder);
  const given = inShards(asked, before.recipe.shards);
  const isFinished = (await finishedReport(folder)) !== undefined;
  // The folder may have been renamed, and `jobs` does not affect results.
  const { name, jobs } = given.recipe;
  const named = { ...before, recipe: { ...before.recipe, name, jobs }, written: { ...before.written, jobs } };
  const loaded = place === undefined ? given : isFinished ? named : placed(named, place);
  const { moves: earlier = [] } = stored;
  const { changes, moves } = differences(before.written, loaded.written);
  // A finished run cannot be moved to another engine or device.
  const refused = [...changes, ...(isFinished ? moves : [])];
  if (refused.length > 0) throw changed(folder, refused);
  const other = differences(before.written, given.written).changes;
  const sentences = [
    ...(other.length === 0 ? [] : [`going on with the recipe that the run began with, without ${other.join(', ')}`]),
    ...(isFinished || asked.recipe.shards !== undefined || given.recipe.shards === shards ? [] : [keptShards(given)]),
  ];
  const left = sentences.length === 0 ? {} : { left: sentences.join('; ') };
  if (moves.length === 0) return { loaded, resumed: true, moves: earlier, ...left };
  const moved = noteOf(moves);
  return { loaded, resumed: true, moves: [...earlier, moved], moved, ...left };
}

/** The number of parts of a batch affects the results: a run keeps its own even if the given recipe lacks it. */
function inShards(loaded: LoadedRecipe, shards: number | undefined): LoadedRecipe {
  const { written, base, recipe } = loaded;
  if (shards === undefined || recipe.shards !== undefined) return loaded;
  // As if the recipe had it: exports contain a hash of the recipe.
  const complete = completeRecipe({ ...written, shards }, base);
  return { ...complete, recipe: { ...complete.recipe, name: recipe.name } };
}

function keptShards({ recipe: { shards } }: LoadedRecipe): string {
  return `going on with ${shards === undefined ? 'whole batches' : `batches in ${shards} shards`}, as the run began`;
}

function placed(loaded: LoadedRecipe, place: Place): LoadedRecipe {
  return { ...loaded, recipe: { ...loaded.recipe, ...place }, written: { ...loaded.written, ...place } };
}

/** `UserError` for a folder with other content than a run, before anything is written. */
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
  if (
    names.some(isEarlier) ||
    names.includes('recipe.json') ||
    names.includes('ledger.json') ||
    names.every(isTraceOfStart)
  )
    return;
  throw new UserError(
    `${folder}: this folder is not a run: it holds ${shown(names.slice(0, 3))}`,
    'Choose another folder with --out, another name with --set name=..., or remove it.',
  );
}

/** True for files of a process that was killed right after its start, and for stored answers. */
function isTraceOfStart(name: string): boolean {
  return (
    name === 'soft-targets' ||
    name.startsWith('lock') ||
    name === 'log.jsonl' ||
    (name.startsWith('.') && name.endsWith('.tmp'))
  );
}

function changed(folder: string, changes: readonly string[]): UserError {
  return new UserError(
    `${folder}: the recipe of this run has changed:\n${changes.map((change) => `  ${change}`).join('\n')}`,
    'Add --fresh to start again with the changed recipe, or --resume to go on with the one that the run began with.',
  );
}
