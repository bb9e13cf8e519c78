import { sha256 } from '../base/bytes.ts';
import { canonicalJson } from '../recipe/diff.ts';
import { hashOfStudent } from '../folder/folder.ts';
import type { StageContext } from './context.ts';
import { splitsOf } from './together.ts';

/** Hash of all that the trainings of a repeat depend on. */
export async function repeatKey(context: StageContext): Promise<string> {
  const { recipe, written, data } = context;
  const recipeOf = canonicalJson({ ...written, name: null, shards: recipe.shards ?? null });
  return sha256(recipeOf, splitsOf(data), (await hashOfStudent(recipe)) ?? '');
}
