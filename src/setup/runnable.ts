import { needPackages } from '../base/process/packages.ts';
import { refuseMissingTeacher } from '../distill/teachers/formats.ts';
import { FAMILIES } from '../networks/models/families.ts';
import { loadRecipe } from '../recipe/load.ts';
import type { LoadedRecipe, RecipeOptions, RecipeParts } from '../recipe/load.ts';
import type { ModelTable } from '../recipe/models.ts';
import type { RecipeChange } from '../recipe/overrides.ts';
import type { Recipe } from '../recipe/schema.ts';
import { refuseMissingEngine } from '../runtime/engines.ts';

/** Loads a recipe that this installation can run to its end: valid, and without missing packages. */
export async function loadRunnable(
  file: string,
  set: readonly RecipeChange[] = [],
  options: Pick<RecipeOptions, 'isThere'> = {},
): Promise<LoadedRecipe> {
  const loaded = await loadRecipe(file, { set, partsFor, ...options });
  refuseMissing(loaded.recipe);
  return loaded;
}

/** The families of the models that a recipe names, and the reader of folders and files of Keras if it names one. */
const partsFor: RecipeParts = async (data) => {
  const text = JSON.stringify(data);
  const withFolders = /folder|keras|tfjs|parquet|webdataset/.test(text)
    ? (await import('./with-folders.ts')).withFolders
    : undefined;
  return { models: await tableOf(namesIn(data)), ...(withFolders && { withFolders }) };
};

/** All models by name, of which these are loaded. */
async function tableOf(named: ReadonlySet<string>): Promise<ModelTable> {
  const rows = Object.entries(FAMILIES).map(async ([name, load]) => [name, named.has(name) ? await load() : UNNAMED]);
  return Object.fromEntries(await Promise.all(rows)) as ModelTable;
}

const UNNAMED: ModelTable[string] = {
  get options(): never {
    throw new Error('a recipe has a model that it does not name');
  },
};

/** Values of the keys `model` at any depth. */
function namesIn(data: unknown): ReadonlySet<string> {
  if (typeof data !== 'object' || data === null) return new Set();
  return new Set(
    Object.entries(data).flatMap(([key, value]) =>
      key === 'model' && typeof value === 'string' ? [value] : [...namesIn(value)],
    ),
  );
}

/** `UserError` if the recipe needs a part of Limbeck, or a package, that is not installed. */
export function refuseMissing(recipe: Pick<Recipe, 'engine' | 'teacher' | 'export'>, from?: string): void {
  refuseMissingEngine(recipe.engine);
  refuseMissingTeacher(recipe.teacher, from);
  if (recipe.export.includes('tflite')) needPackages('export: [tflite]', ['@litertjs/core'], from);
}
