import { UserError } from '../base/errors.ts';
import type { Column } from '../data/dataset.ts';
import { labelledCount, labelledOf } from '../data/labelled.ts';
import { loadDataset } from '../data/load.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';

/**
 * The data set of a recipe, read and split. `columns`: with their words as a model file has them, instead of those of train. `UserError` for
 * samples without a label where no teacher answers for them.
 */
export async function loadData(
  { dataset, teacher }: Pick<Recipe, 'dataset' | 'teacher'>,
  columns?: readonly Column[],
): Promise<LoadedDataset> {
  // The schema says the same as the type, but for optional keys that it holds as undefined.
  const data = await loadDataset(dataset, columns);
  if (teacher === undefined) return { ...data, train: onlyLabelled(data, dataset) };
  if (teacher.train !== undefined && labelledCount(data.train) === 0)
    throw new UserError(
      'teacher.train: expected labels to train a teacher with, and no sample of train has one',
      'Name a teacher that is trained already (`teacher.onnx`), or give some samples a label.',
    );
  return data;
}

function onlyLabelled({ train, unlabelledAt }: LoadedDataset, { unlabelled, labelled }: Recipe['dataset']) {
  if (unlabelledAt !== undefined)
    throw new UserError(
      `${unlabelledAt}: the label is empty, and the recipe has no teacher that answers for the sample`,
      'Remove the sample, give it a label, or name a teacher.',
    );
  if (unlabelled !== undefined || labelled === 0)
    throw new UserError(
      `dataset.${labelled === 0 ? 'labelled: 0' : 'unlabelled'}: expected a teacher that answers for samples without a label, received none`,
      'Name a teacher, or leave it out.',
    );
  return labelledOf(train);
}
