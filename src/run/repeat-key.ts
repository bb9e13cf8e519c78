import { sha256 } from '../base/bytes.ts';
import { canonicalJson } from '../recipe/diff.ts';
import { hashOfStudent } from '../folder/inputs.ts';
import type { StageContext } from './context.ts';
import type { Teaching } from './stages/teach.ts';
import { splitsOf } from './together.ts';

/** Hash of all that the trainings of a repeat depend on. A teacher that the recipe trains follows from the rest. */
export async function repeatKey(context: StageContext, teaching: Teaching | undefined): Promise<string> {
  const { recipe, written, data } = context;
  const recipeOf = canonicalJson({ ...written, name: null, shards: recipe.shards ?? null });
  const opened = teaching === undefined || teaching.stored !== undefined ? teaching?.key : teaching.teacher.key;
  const teacher = teaching?.trained === undefined ? (opened ?? '') : '';
  return sha256(recipeOf, splitsOf(data), (await hashOfStudent(recipe)) ?? '', teacher);
}
