import type { Vectors } from '../../../base/math/vectors.ts';
import { UserError } from '../../../base/errors.ts';
import type { Dataset } from '../../../data/dataset.ts';
import { plainLogits, refuseNotFinite } from '../../../distill/preflight/preflight.ts';
import type { Teacher } from '../../../distill/teachers/teacher.ts';
import { isOfTexts } from '../../../recipe/data-types.ts';
import type { LoadedRecipe } from '../../../recipe/load.ts';
import { openVectors, readToEmbed } from './vectors.ts';

/** Texts of a column of a file. */
export interface TextColumn {
  /** Keys of a data set: its type, and its files as `train`, which is not used, and `validation`. */
  readonly dataset: object;
  readonly column: string;
  /** Rows of the data set whose vectors are wanted, by the places [rows] of the rows in the file. Default: all in their order. */
  readonly rows?: ((places: Int32Array) => Int32Array) | undefined;
}

/** `UserError` for a recipe whose data are no texts. */
export function refuseNoTexts({ name, dataset }: LoadedRecipe['recipe']): void {
  if (!isOfTexts(dataset))
    throw new UserError(
      `${name}: its data are no texts, expected a recipe whose data have \`text\``,
      'Name the recipe of the model: pairs and queries are of texts.',
    );
}

/**
 * Vectors that a model file gives to each of these columns of texts, read as `recipe` and the file say. One model is used for all: vectors that are reduced to
 * fewer numbers need the same axes, which are those of the first column. `UserError` for vectors that are not finite.
 */
export async function textVectors(
  file: string,
  recipe: LoadedRecipe['recipe'],
  columns: readonly TextColumn[],
): Promise<Vectors[]> {
  const { task, dimensions, ...others } = recipe.dataset;
  const { text } = others as { readonly text?: object };
  const vectors: Vectors[] = [];
  let first: Teacher | undefined;
  let data: Dataset;
  try {
    for (const { dataset: files, column, rows } of columns) {
      // No text may be left out: rows are told by their places in the file.
      const own = { ...text, column, invalid: undefined };
      const dataset = { ...files, task, dimensions, labelled: 0, augment: [], text: own };
      const changed = { ...recipe, dataset } as unknown as typeof recipe;
      if (first === undefined) ({ model: first, data } = await openVectors(file, changed, 'validation'));
      else ({ of: data } = await readToEmbed(file, changed, 'validation'));
      const values = await plainLogits(first, data, rows?.(data.ids) ?? Int32Array.from(data.ids.keys()));
      refuseNotFinite(first, values);
      vectors.push({ values, width: first.classes });
    }
  } finally {
    await first?.dispose();
  }
  return vectors;
}
