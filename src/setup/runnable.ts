import path from 'node:path';
import { needPackages } from '../base/packages.ts';
import { models } from '../networks/models/registry.ts';
import { completeRecipe, loadRecipe } from '../recipe/load.ts';
import type { LoadedRecipe, RecipeOptions } from '../recipe/load.ts';
import type { RecipeChange } from '../recipe/overrides.ts';
import type { Recipe, RecipeInput } from '../recipe/schema.ts';
import { locateTensorFlow } from '../runtime/tensorflow.ts';

/** A recipe that this version can follow to its end: right in itself, and asking for nothing that is not there. */
export async function loadRunnable(
  file: string,
  set: readonly RecipeChange[] = [],
  options: Pick<RecipeOptions, 'isThere'> = {},
): Promise<LoadedRecipe> {
  const loaded = await loadRecipe(file, { set, models, ...options });
  refuseMissing(loaded.recipe);
  return loaded;
}

/** `UserError` if the recipe asks for a part of Limbeck, or for a package, that is not installed here. */
export function refuseMissing(recipe: Pick<Recipe, 'engine' | 'teacher' | 'export'>, from?: string): void {
  if (recipe.engine === 'tensorflow' || asksSavedModel(recipe.teacher)) locateTensorFlow();
  if (recipe.export.includes('tflite')) needPackages('export: [tflite]', ['@litertjs/core'], from);
}

/** True if the teacher, or one of an ensemble, is a TensorFlow SavedModel. */
export function asksSavedModel(teacher: Recipe['teacher']): boolean {
  return [teacher, ...(teacher?.ensemble ?? [])].some((one) => one?.savedModel !== undefined);
}

/**
 * `makeRecipe` for TypeScript: a key that no recipe has does not compile, and an editor completes those that there are. Options of a
 * model are checked when it is called.
 */
export function makeTypedRecipe(recipe: RecipeInput, base = '.'): LoadedRecipe {
  return makeRecipe(recipe, base);
}

/** A recipe built in code, checked like one from a file. Relative file names start at `base`; `name` must be given. */
export function makeRecipe(recipe: unknown, base = '.'): LoadedRecipe {
  const loaded = completeRecipe(recipe, path.resolve(base), models);
  refuseMissing(loaded.recipe);
  return loaded;
}
