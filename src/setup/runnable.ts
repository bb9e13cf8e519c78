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
  const words = wordsIn(data);
  const withFolders = [...words].some((word) => /folder|keras|tfjs|parquet|webdataset/.test(word))
    ? (await import('./with-folders.ts')).withFolders
    : undefined;
  return { models: await tableOf(words), ...(withFolders && { withFolders }) };
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

/** Keys and texts at any depth. An alias of YAML may make a value a part of itself. */
function wordsIn(data: unknown, words = new Set<string>(), seen = new Set<object>()): ReadonlySet<string> {
  if (typeof data === 'string') words.add(data);
  if (typeof data !== 'object' || data === null || seen.has(data)) return words;
  seen.add(data);
  for (const [key, value] of Object.entries(data)) {
    words.add(key);
    wordsIn(value, words, seen);
  }
  return words;
}

/** `UserError` if the recipe needs a part of Limbeck, or a package, that is not installed. */
export function refuseMissing(recipe: Pick<Recipe, 'engine' | 'teacher' | 'export'>, from?: string): void {
  refuseMissingEngine(recipe.engine);
  refuseMissingTeacher(recipe.teacher, from);
  if (recipe.export.includes('tflite')) needPackages('export: [tflite]', ['@litertjs/core'], from);
}
