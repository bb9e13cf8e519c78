import { Slot } from '../base/registry.ts';
import { UserError } from '../base/errors.ts';
import type { OnProgress } from '../base/progress.ts';
import { answerForms } from '../recipe/answer-forms.ts';
import type { LoadedRecipe } from '../recipe/load.ts';

/** Functions that commands call for models that answer with vectors. */
export interface VectorTools {
  writeVectors(
    file: string,
    recipe: LoadedRecipe,
    split: 'train' | 'validation' | 'test',
    out: string,
    options?: { readonly onProgress?: OnProgress },
  ): Promise<{ readonly file: string; readonly samples: number; readonly size: number }>;
  /** Score on pairs of texts; `columns`: of both texts and of the similarity. */
  scorePairs(
    file: string,
    recipe: LoadedRecipe,
    pairs: string,
    columns?: readonly [string, string, string],
  ): Promise<{ readonly pairs: number; readonly spearman: number }>;
  /** Score of a search in a folder as BEIR has it. */
  scoreQueries(
    file: string,
    recipe: LoadedRecipe,
    folder: string,
  ): Promise<{
    readonly ndcg: number;
    readonly recall: number;
    readonly queries: number;
    readonly documents: number;
    readonly withoutText: number;
  }>;
}

const VECTOR_TOOLS = new Slot<VectorTools>(answerForms, 'vectorTools', 'vectors to search with');

/** The tools of the form of answers that has vectors. */
export async function openVectorTools(): Promise<VectorTools> {
  const [form] = VECTOR_TOOLS.names();
  if (form !== undefined) return VECTOR_TOOLS.load(form);
  throw new UserError('no form of answers has vectors', `There are ${answerForms.names().join(', ')}.`);
}
