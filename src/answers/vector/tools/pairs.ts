import { UserError } from '../../../base/errors.ts';
import { spearman } from '../../../base/math/ranks.ts';
import { plainLogits, refuseNotFinite } from '../../../distill/preflight/preflight.ts';
import { DATA_TYPES } from '../../../recipe/data-types.ts';
import type { DataTypeName } from '../../../recipe/data-types.ts';
import type { LoadedRecipe } from '../../../recipe/load.ts';
import { taskNames, taskRow } from '../../../recipe/task.ts';
import { pairsOf } from '../pairs.ts';
import { refuseNoTexts } from './text-vectors.ts';
import { openVectors } from './vectors.ts';

export interface PairsScore {
  readonly file: string;
  readonly pairs: number;
  /** Spearman's correlation of the cosines of the pairs with their similarities, -1 to 1. */
  readonly spearman: number;
}

/** Columns of two texts and their similarity, as the data sets STS of sentence-transformers have them. */
const PAIR_COLUMNS = ['sentence1', 'sentence2', 'score'] as const;

/** Task as whose data pairs are read. */
const TASK = taskNames().find((task) => taskRow(task).isOfPairs);

/** Types of files of pairs. */
const TYPES: readonly DataTypeName[] = ['csv', 'jsonl', 'parquet'];

/**
 * Scores a model of vectors on pairs of texts with a similarity that people gave, as a recipe whose task is their similarity does. `pairs`: a file of CSV,
 * JSON lines or Parquet; `columns`: of the two texts and the number. Texts are read as the recipe and the model say. `UserError` for data that are no texts,
 * for a file of another kind, and for fewer than three pairs or equal numbers alone, which no correlation can be computed from.
 */
export async function scorePairs(
  file: string,
  { recipe }: LoadedRecipe,
  pairs: string,
  [first, second, score]: readonly [string, string, string] = PAIR_COLUMNS,
): Promise<PairsScore> {
  refuseNoTexts(recipe);
  const type = TYPES.find((one) => DATA_TYPES[one].endings.some((ending) => pairs.toLowerCase().endsWith(ending)));
  if (type === undefined) {
    const endings = TYPES.flatMap((one) => DATA_TYPES[one].endings).join(', ');
    throw new UserError(
      `${pairs}: expected a file of pairs that ends in ${endings}`,
      'Write the pairs in such a form.',
    );
  }
  const { dimensions, text } = recipe.dataset as { readonly dimensions?: number; readonly text?: object };
  const dataset = {
    ...(type === 'csv' && pairs.toLowerCase().endsWith('.tsv') && { delimiter: '\t' }),
    type,
    task: TASK,
    train: pairs,
    validation: pairs,
    dimensions,
    label: score,
    augment: [],
    text: { ...text, column: [first, second] },
  };
  const { model, data } = await openVectors(file, { ...recipe, dataset } as unknown as typeof recipe, 'validation');
  try {
    const values = await plainLogits(model, data, Int32Array.from(data.ids.keys()));
    refuseNotFinite(model, values);
    const { cosines, similarities } = pairsOf({ values, width: model.classes }, data.targets);
    const found = spearman(cosines, similarities);
    if (found !== undefined) return { file, pairs: similarities.length, spearman: found };
    throw new UserError(
      `${pairs}: all ${similarities.length} pairs have the same cosine by ${file}`,
      'A correlation needs different values.',
    );
  } finally {
    await model.dispose();
  }
}
