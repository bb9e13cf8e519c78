import { loadDataset } from '../data/load.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';

/** The data set of a recipe, read and split; `keepOriginals`: see `Dataset.originals`. */
export async function loadData(
  { dataset, teacher }: Pick<Recipe, 'dataset' | 'teacher'>,
  { keepOriginals = seesOwnSize(teacher) }: { readonly keepOriginals?: boolean } = {},
): Promise<LoadedDataset> {
  // The schema says the same as the type, but for optional keys that it holds as undefined.
  return loadDataset(dataset, { keepOriginals });
}

/** Whether a teacher is fed pictures of another size than the student, as far as the recipe says. */
function seesOwnSize(teacher: Recipe['teacher']): boolean {
  const all = teacher === undefined ? [] : [teacher, ...(teacher.ensemble ?? [])];
  return all.some(({ resize, channels }) => resize !== undefined || channels !== undefined);
}
