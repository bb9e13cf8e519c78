import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { readSealed } from '../../files/safetensors-file.ts';
import { isTeacherStage } from '../../report/artifact.ts';
import { stateOf } from './checkpoint.ts';

/**
 * Number of parts of a batch according to a run's saved states; undefined if none tells. A teacher's states may be older than the run, and count only
 * in the absence of others. Damaged states are reported by their stage.
 */
export async function shardsOfStates(folder: string): Promise<{ readonly shards: number | undefined } | undefined> {
  const names = await readdir(path.join(folder, 'state')).catch(() => []);
  const states = names.flatMap((name) => {
    const state = stateOf(name);
    return state === undefined ? [] : [{ name, isTeachers: isTeacherStage(state.stage), number: state.number }];
  });
  states.sort((a, b) => Number(a.isTeachers) - Number(b.isTeachers) || b.number - a.number);
  for (const { name } of states) {
    const file = path.join(folder, 'state', name);
    try {
      const stored = (await readSealed(file)).metadata['shards'];
      if (stored !== undefined) return { shards: stored === 'no' ? undefined : Number(stored) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return undefined;
}
