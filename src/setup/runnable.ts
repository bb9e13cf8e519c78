import path from 'node:path';
import { needPackages } from '../base/process/packages.ts';
import { refuseMissingTeacher } from '../distill/teachers/formats.ts';
import { models } from '../networks/models/registry.ts';
import { completeRecipe, loadRecipe } from '../recipe/load.ts';
import type { LoadedRecipe, RecipeOptions } from '../recipe/load.ts';
import type { RecipeChange } from '../recipe/overrides.ts';
import type { Recipe, RecipeInput } from '../recipe/schema.ts';
import { refuseMissingEngine } from '../runtime/engines.ts';
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
  refuseMissingEngine(recipe.engine);
  refuseMissingTeacher(recipe.teacher, from);
  if (recipe.export.includes('tflite')) needPackages('export: [tflite]', ['@litertjs/core'], from);
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
