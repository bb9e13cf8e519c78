import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointStore, stateOf } from './checkpoint.ts';

/** Parts that batches are cut into by what the saved states of a run say; undefined where none of them says it. */
export async function shardsOfStates(folder: string): Promise<{ readonly shards: number | undefined } | undefined> {
  const names = await readdir(path.join(folder, 'state')).catch(() => []);
  const stages = new Set(names.flatMap((name) => stateOf(name)?.stage ?? []));
  const store = new CheckpointStore(folder, () => undefined);
  for (const stage of stages) {
    const told = (await store.load(stage))?.metadata['shards'];
    if (told !== undefined) return { shards: told === 'no' ? undefined : Number(told) };
  }
  return undefined;
}
