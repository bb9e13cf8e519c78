import { loadDataset } from '../data/load.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';

/** The data set of a recipe, read and split. */
export async function loadData({ dataset }: Pick<Recipe, 'dataset'>): Promise<LoadedDataset> {
  // The schema says the same as the type, but for optional keys that it holds as undefined.
  return loadDataset(dataset);
}
