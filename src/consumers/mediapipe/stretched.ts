import type { Dataset } from '../../data/dataset.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { loadData } from '../../setup/data.ts';
import { taskOf } from '../../tasks/registry.ts';
import type { KitModel } from '../../ship/kit/missing.ts';
import { scoreOfFile } from '../../ship/model-file.ts';

/**
 * Warning about a model of letterboxed pictures: MediaPipe stretches pictures to the size of the model. It has the scores of the file on the held-out pictures
 * prepared in both ways, which are read again. None for a model of stretched pictures, and where all pictures have its proportions.
 */
export async function stretchNotes(recipe: Recipe, validation: Dataset, { row, bytes }: KitModel): Promise<string[]> {
  if (validation.fit !== 'letterbox') return [];
  const dataset = { ...recipe.dataset, fit: 'stretch' } as typeof recipe.dataset;
  const { validation: stretched } = await loadData({ ...recipe, dataset });
  const { score } = taskOf(validation);
  const scoreOf = (split: Dataset): Promise<number> =>
    scoreOfFile({ file: row.file!, bytes, format: 'tflite', precision: row.precision }, split, {
      session: sessionOptionsOf(recipe),
    });
  const [own, changed] = [await scoreOf(validation), await scoreOf(stretched)];
  if (own === changed) return [];
  return [
    `Warning: the model was trained on letterboxed pictures, and MediaPipe stretches them: ${score.name} ${score.text(changed)} on stretched validation pictures, ${score.text(own)} on letterboxed ones. Set \`dataset.fit: stretch\` and run the recipe again, or give MediaPipe pictures with the proportions of the model's input.`,
  ];
}
