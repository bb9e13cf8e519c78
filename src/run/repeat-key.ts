import { sha256 } from '../base/bytes.ts';
import { canonicalJson } from '../recipe/diff.ts';
import { hashOfStudent } from '../folder/inputs.ts';
import { JobFolder } from '../folder/jobs.ts';
import { stageOf } from '../report/artifact.ts';
import type { StageContext } from './context.ts';
import { splitsOf } from './hashes.ts';
import type { Teaching } from './stages/teacher/given-teacher.ts';

/**
 * Hash of everything that the trainings of a repeat depend on. It needs no weights of a teacher that the recipe trains: they follow from recipe and
 * data.
 */
export async function repeatKey(
  context: Pick<StageContext, 'recipe' | 'written' | 'data'>,
  teaching: Teaching | undefined,
): Promise<string> {
  const { recipe, written, data } = context;
  const recipeOf = canonicalJson({ ...written, name: null, jobs: null, shards: recipe.shards ?? null });
  return sha256(recipeOf, splitsOf(data), (await hashOfStudent(recipe)) ?? '', teacherKey(teaching));
}

/** Hash of the files that a training reads: samples, student and teacher. */
export async function filesKey(
  { recipe, data }: Pick<StageContext, 'recipe' | 'data'>,
  teaching: Teaching | undefined,
): Promise<string> {
  return sha256(splitsOf({ ...data, test: undefined }), (await hashOfStudent(recipe)) ?? '', teacherKey(teaching));
}

function teacherKey(teaching: Teaching | undefined): string {
  if (teaching === undefined || teaching.trained !== undefined) return '';
  return teaching.stored === undefined ? teaching.teacher.key : teaching.key;
}

/** Copies a repeat's trainings by a shard into the run in `folder`; false if no shard has finished them. */
export async function takeRepeat(folder: string, repeat: number, key: string): Promise<boolean> {
  const stages = (['scratch', 'distilled'] as const).map((role) => stageOf({ role, repeat }));
  return new JobFolder(folder, 'repeats').take(resultOfRepeat(repeat), key, stages, folder);
}

/** File of a shard that has finished the repeat. */
export function resultOfRepeat(repeat: number): string {
  return `${repeat + 1}/repeat.json`;
}
