import path from 'node:path';
import { needPackages } from '../base/process/packages.ts';
import { models } from '../networks/models/registry.ts';
import { completeRecipe, loadRecipe } from '../recipe/load.ts';
import type { LoadedRecipe, RecipeOptions } from '../recipe/load.ts';
import type { RecipeChange } from '../recipe/overrides.ts';
import type { Recipe, RecipeInput } from '../recipe/schema.ts';
import { engineRow } from '../runtime/engines.ts';
import { locateTensorFlow } from '../runtime/tensorflow/engine.ts';
import { withFolders } from './with-folders.ts';

/** Loads a recipe that this installation can run to its end: valid, and without missing packages. */
export async function loadRunnable(
  file: string,
  set: readonly RecipeChange[] = [],
  options: Pick<RecipeOptions, 'isThere'> = {},
): Promise<LoadedRecipe> {
  const loaded = await loadRecipe(file, { set, models, withFolders, ...options });
  refuseMissing(loaded.recipe);
  return loaded;
}

/** `UserError` if the recipe needs a part of Limbeck, or a package, that is not installed. */
export function refuseMissing(recipe: Pick<Recipe, 'engine' | 'teacher' | 'export'>, from?: string): void {
  engineRow(recipe.engine).refuseMissing?.();
  if (asksSavedModel(recipe.teacher)) locateTensorFlow();
  const sources = [recipe.teacher, ...(recipe.teacher?.ensemble ?? [])];
  if (sources.some((one) => one?.tflite !== undefined)) needPackages('teacher.tflite', ['@litertjs/core'], from);
  if (recipe.export.includes('tflite')) needPackages('export: [tflite]', ['@litertjs/core'], from);
}

/** True if the teacher, or a member of an ensemble, is a TensorFlow SavedModel. */
export function asksSavedModel(teacher: Recipe['teacher']): boolean {
  return [teacher, ...(teacher?.ensemble ?? [])].some((one) => one?.savedModel !== undefined);
}

/** `makeRecipe` for TypeScript: unknown keys do not compile, and an editor completes known ones. Options of a model are checked when it is called. */
export function makeTypedRecipe(recipe: RecipeInput, base = '.'): LoadedRecipe {
  return makeRecipe(recipe, base);
}

/** Makes a recipe in code, checked like one from a file. Relative file names refer to `base`; `name` is required. */
export function makeRecipe(recipe: unknown, base = '.'): LoadedRecipe {
  const loaded = completeRecipe(recipe, path.resolve(base), models, withFolders);
  refuseMissing(loaded.recipe);
  return loaded;
}
