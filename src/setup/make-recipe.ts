import path from 'node:path';
import { models } from '../networks/models/registry.ts';
import { completeRecipe } from '../recipe/load.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { RecipeInput } from '../recipe/schema.ts';
import { refuseMissing } from './runnable.ts';
import { withFolders } from './with-folders.ts';

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
