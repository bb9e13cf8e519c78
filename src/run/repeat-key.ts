import { sha256 } from '../base/bytes.ts';
import { canonicalJson } from '../recipe/diff.ts';
import { hashOfStudent } from '../folder/folder.ts';
import type { StageContext } from './context.ts';
import type { Teaching } from './stages/teach.ts';
import { splitsOf } from './together.ts';

/** Hash of all that the trainings of a repeat depend on. A teacher that the recipe trains follows from the rest. */
export async function repeatKey(context: StageContext, teaching: Teaching | undefined): Promise<string> {
  const { recipe, written, data } = context;
  const recipeOf = canonicalJson({ ...written, name: null, jobs: null, shards: recipe.shards ?? null });
  const teacher = teaching?.trained === undefined ? (teaching?.teacher?.key ?? '') : '';
  return sha256(recipeOf, splitsOf(data), (await hashOfStudent(recipe)) ?? '', teacher);
}
