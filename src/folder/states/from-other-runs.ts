import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { exists, readBytes, writeFileAtomic } from '../../base/files.ts';
import { isTeacherStage } from '../../report/artifact.ts';
import { stateOf } from './checkpoint.ts';

/** Copies a teacher's stored answers from another run. Answers of other teachers or data have other keys and are never read. */
export async function giveAnswers(from: string, to: string): Promise<void> {
  for (const name of await readdir(path.join(from, 'soft-targets')).catch(() => [])) {
    const file = path.join('soft-targets', name);
    if (!name.endsWith('.safetensors') || (await exists(path.join(to, file)))) continue;
    await writeFileAtomic(path.join(to, file), await readBytes(path.join(from, file)));
  }
}

/**
 * Copies the saved states of a stage from another run, which continues from them; false if there are none. A stage that has begun keeps its own
 * states.
 */
export async function giveStates(stage: string, from: string, to: string): Promise<boolean> {
  const names = await statesOf(stage, from);
  if (names.length === 0 || (await statesOf(stage, to)).length > 0) return false;
  for (const name of names)
    await writeFileAtomic(path.join(to, 'state', name), await readBytes(path.join(from, 'state', name)));
  return true;
}

/** Copies the trainings of the teacher and its assistants from another run. */
export async function giveTeachers(from: string, to: string): Promise<void> {
  const names = await readdir(path.join(from, 'state')).catch(() => []);
  const stages = new Set(names.flatMap((name) => stateOf(name)?.stage ?? []).filter(isTeacherStage));
  for (const stage of stages) await giveStates(stage, from, to);
}

async function statesOf(stage: string, folder: string): Promise<string[]> {
  const names = await readdir(path.join(folder, 'state')).catch(() => []);
  return names.filter((name) => stateOf(name)?.stage === stage).sort();
}
