import { readdir, truncate } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointStore } from '../../../src/folder/states/checkpoint.ts';
import { shardsOfStates } from '../../../src/folder/states/state-shards.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

async function save(stage: string, shards?: string): Promise<string> {
  const w = { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const;
  const metadata = shards === undefined ? {} : { shards };
  const store = new CheckpointStore(folder(), () => undefined);
  return path.join(folder(), 'state', await store.save(stage, { tensors: new Map([['w', w]]), metadata }));
}

it('the number of shards is that of the newest good state, before those of a teacher, which may be older than the run', async () => {
  expect(await shardsOfStates(folder())).toBeUndefined();
  await save('answers');
  expect(await shardsOfStates(folder())).toBeUndefined();
  for (let i = 0; i < 3; i++) await save('teach', 'no');
  expect(await shardsOfStates(folder())).toEqual({ shards: undefined });
  await save('scratch', '8');
  const damaged = await save('scratch', '4');
  await truncate(damaged, 20);
  expect(await shardsOfStates(folder())).toEqual({ shards: 8 });
  // The stage says what is damaged when it goes on.
  expect(await readdir(path.dirname(damaged))).toContain(path.basename(damaged));
});
