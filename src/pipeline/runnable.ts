import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { models } from '../models/registry.ts';
import { completeRecipe, loadRecipe } from '../recipe/load.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';

/** A recipe that this version can follow to its end: right in itself, and asking for nothing that is not there. */
export async function loadRunnable(file: string, set: readonly string[] = []): Promise<LoadedRecipe> {
  const loaded = await loadRecipe(file, { set, models });
  refuseUnbuilt(loaded.recipe);
  return loaded;
}

/** Parts of a recipe that are understood and checked, but that no stage of this version carries out. */
export function refuseUnbuilt(recipe: Recipe): void {
  const asked: readonly (readonly [string, boolean, string])[] = [
    ['engine: tensorflow', recipe.engine === 'tensorflow', '--set engine=onnxruntime'],
  ];
  const refused = asked.filter(([, isAsked]) => isAsked);
  if (refused.length === 0) return;
  throw new UserError(
    `${recipe.name}: the recipe asks for ${refused.map(([name]) => name).join(', ')}, received a version of Limbeck that cannot do it yet`,
    `Nothing is skipped silently: to run the rest, ${refused.map(([, , remedy]) => remedy).join(', ')}.`,
  );
}

/** A recipe built in code, checked like one from a file. Relative file names start at `base`; `name` must be given. */
export function makeRecipe(recipe: unknown, base = '.'): LoadedRecipe {
  const loaded = completeRecipe(recipe, path.resolve(base), models);
  refuseUnbuilt(loaded.recipe);
  return loaded;
}
