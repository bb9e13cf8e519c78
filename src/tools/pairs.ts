import { UserError } from '../base/errors.ts';
import { spearman } from '../base/math/ranks.ts';
import type { DatasetConfig } from '../data/config.ts';
import { loadDataset } from '../data/load.ts';
import { DATA_TYPES } from '../recipe/data-types.ts';
import type { DataTypeName } from '../recipe/data-types.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { TASKS, taskRow } from '../recipe/task.ts';
import { cosinesOf } from '../tasks/embedding/retrieval.ts';
import { refuseNoTexts, textVectors } from './text-vectors.ts';

export interface PairsScore {
  readonly file: string;
  readonly pairs: number;
  /** Spearman's correlation of the cosines of the pairs with their similarities, -1 to 1. */
  readonly spearman: number;
}

/** Columns of two texts and their similarity, as the data sets STS of sentence-transformers have them. */
const PAIR_COLUMNS = ['sentence1', 'sentence2', 'score'] as const;

/** Task as whose labels similarities are read. */
const NUMBERS = TASKS.find((task) => taskRow(task).form === 'numbers');

/** Types of files of pairs. */
const TYPES: readonly DataTypeName[] = ['csv', 'jsonl', 'parquet'];

/**
 * Scores a model of vectors on pairs of texts with a similarity that people gave: Spearman's correlation, as the benchmarks of semantic textual similarity
 * state it (Reimers, Beyer and Gurevych 2016, "Task-oriented intrinsic evaluation of semantic textual similarity"). `pairs`: a file of CSV, JSON lines or
 * Parquet; `columns`: of the two texts and the number. Texts are read as the recipe and the model say. `UserError` for data that are no texts, for a
 * file of another kind, and for fewer than three pairs or equal numbers alone, which no correlation can be computed from.
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
  const files = { ...(type === 'csv' && pairs.toLowerCase().endsWith('.tsv') && { delimiter: '\t' }), type, train: pairs, validation: pairs }; // prettier-ignore
  const known = await loadDataset({
    ...files,
    ...{ task: NUMBERS, label: score, augment: [] },
    text: { column: [first, second], tokenizer: 'bytes', length: 8 },
  } as DatasetConfig);
  const columns = [first, second].map((column) => ({ dataset: files, column }));
  const [a, b] = await textVectors(file, recipe, columns);
  const { targets, count } = known.validation;
  const found = count < 3 ? undefined : spearman(cosinesOf(a!, b!), targets);
  if (found !== undefined) return { file, pairs: count, spearman: found };
  throw new UserError(
    count < 3
      ? `${pairs}: ${count} pairs, expected 3 or more`
      : `${pairs}: all ${count} pairs have the same similarity, or the same cosine by ${file}`,
    'A correlation needs different values.',
  );
}
