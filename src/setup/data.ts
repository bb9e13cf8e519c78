import type { TextConfig, TokenInput } from '../data/config.ts';
import type { Dataset } from '../data/dataset.ts';
import { loadDataset } from '../data/load.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { TeacherRecipe } from '../recipe/schema/teacher.ts';

/** The data set of a recipe, read and split. */
export async function loadData({ dataset }: Pick<Recipe, 'dataset'>): Promise<LoadedDataset> {
  // The schema says the same as the type, but for optional keys that it holds as undefined.
  return loadDataset(dataset);
}

const ALL: readonly TokenInput[] = ['input_ids', 'attention_mask', 'token_type_ids'];

/**
 * The data set of a recipe; of texts also what a teacher from a file is fed: the tokens of its own tokenizer, with masks and types.
 * Both are read from the same files and split alike.
 */
export async function loadDataToTeach(recipe: Pick<Recipe, 'dataset' | 'teacher'>): Promise<LoadedDataset> {
  const data = await loadData(recipe);
  const { teacher } = recipe;
  const isFile = teacher !== undefined && teacher.train === undefined && teacher.logits === undefined;
  if (data.train.text === undefined || !isFile) return data;
  const fed = await loadFedData(recipe, teacher, teacher.tfjs !== undefined);
  const beside = (split: Dataset, forTeacher: Dataset): Dataset => ({ ...split, forTeacher });
  return {
    ...data,
    train: beside(data.train, fed.train),
    validation: beside(data.validation, fed.validation),
    test: data.test && beside(data.test, fed.test!),
  };
}

/** The data set as a model file is fed it: of texts all that such a file may take, but for a tfjs model, whose one input is ids. */
export async function loadFedData(
  { dataset }: Pick<Recipe, 'dataset'>,
  own: Pick<TeacherRecipe, 'text'> | undefined,
  isTfjs: boolean,
): Promise<LoadedDataset> {
  if (!('text' in dataset) && dataset.type !== 'text-folder') return loadDataset(dataset);
  const { text } = dataset as { readonly text?: TextConfig };
  if (text === undefined && dataset.type !== 'text-folder') return loadDataset(dataset);
  const { buckets, ngrams, ...common } = text ?? {};
  const stated = Object.entries(own?.text ?? {}).filter(([, value]) => value !== undefined);
  const merged: TextConfig = { ...common, ...Object.fromEntries(stated) };
  const hashing = merged.tokenizer === 'hashed' ? { buckets, ngrams } : {};
  return loadDataset({ ...dataset, text: { ...merged, ...hashing, inputs: isTfjs ? undefined : ALL } } as typeof dataset);
}
