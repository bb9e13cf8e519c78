import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { runRecipe } from '../../src/run/run.ts';
import { processesOf } from '../../src/run/processes/processes.ts';
import type { RunOptions } from '../../src/run/options.ts';
import { DIGITS } from '../support/digits.ts';
import { lone, played } from '../support/played.ts';
import { tinyRuns } from '../support/tiny-runs.ts';

const { folder, made } = tinyRuns({ teacher: undefined, distill: { epochs: 3, batchSize: 16 } });
const out = (name: string): string => path.join(folder(), name);
const run = (name: string, change: object = {}, options: RunOptions = {}) =>
  runRecipe(made(change), { ...options, out: out(name) });
const exported = (name: string, file = 'exports/scratch.onnx') => readFile(path.join(out(name), 'r', file));

/** Stops in the training. */
async function begun(name: string, change: object = {}, options: RunOptions = {}): Promise<void> {
  const stop = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'epoch') stop.abort();
  };
  await expect(run(name, change, { ...options, onEvent, signal: stop.signal, saveEvery: 0 })).rejects.toThrow(
    /stopped scratch after step/,
  );
}

describe('the number of shards that a run began with', () => {
  it('stays: begun under mpirun, it goes on alone, by the same recipe, with the bytes of shards: 8', async () => {
    await run('eight', { shards: 8 });
    await run('whole');
    expect(await exported('whole')).not.toEqual(await exported('eight'));
    await begun('mpi', {}, { processes: processesOf(lone()) });
    const said: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'warning') said.push(event.message);
    };
    const { report } = await run('mpi', {}, { onEvent });
    expect(await exported('mpi')).toEqual(await exported('eight'));
    expect(said).toEqual(['going on with batches in 8 shards, as the run began']);
    expect(report.recipe).toMatchObject({ shards: 8 });
  });

  it('stays: begun alone, it does not go on in several processes, in one under mpirun with the bytes of one alone', async () => {
    await run('whole');
    await begun('alone');
    const several = played(2, (group) => run('alone', {}, { processes: processesOf(group) }));
    await expect(several).rejects.toThrow(/began as a single process without shards.* by the 2 processes of mpirun/);
    await expect(run('alone', { shards: 8 }, { processes: processesOf(lone()) })).rejects.toThrow(
      /shards: nothing -> 8/,
    );
    await run('alone', {}, { processes: processesOf(lone()) });
    expect(await exported('alone')).toEqual(await exported('whole'));
  });

  it('is in the saved state too, where nothing else is left of the run', async () => {
    await begun('mpi', {}, { processes: processesOf(lone()) });
    for (const name of ['recipe.json', 'report.json']) await rm(path.join(out('mpi/r'), name));
    await writeFile(path.join(out('mpi/r'), 'ledger.json'), 'damaged');
    await expect(run('mpi', { shards: 4 })).rejects.toThrow(/has changed:\n {2}shards: 8 -> 4/);
    await run('mpi');
    await run('eight', { shards: 8 });
    expect(await exported('mpi')).toEqual(await exported('eight'));
  });

  it.each([
    ['shards: 8', {}, { shards: 8 }],
    ['syncBatchNorm: true', { shards: 8 }, { shards: 8, syncBatchNorm: true }],
  ])('after a fresh start with %s, the teacher is trained again too', async (_, before, after) => {
    const trained = {
      teacher: {
        train: { model: 'ds-cnn', width: 0.25, depth: 1, epochs: 4, batchSize: 20, optimizer: { learningRate: 0.01 } },
      },
    };
    const change = { ...trained, dataset: { ...DIGITS, limit: 200 } };
    await run('again', { ...change, ...before });
    const first = await exported('again', 'teacher.onnx');
    await run('again', { ...change, ...after }, { existing: 'fresh' });
    await run('new', { ...change, ...after });
    for (const file of ['teacher.onnx', 'exports/distilled.onnx'])
      expect(await exported('again', file)).toEqual(await exported('new', file));
    expect(await exported('again', 'teacher.onnx')).not.toEqual(first);
  });

  it('of a state that is put into another run is found out', async () => {
    await begun('mpi', {}, { processes: processesOf(lone()) });
    await begun('alone');
    await rm(path.join(out('alone/r'), 'state'), { recursive: true });
    await cp(path.join(out('mpi/r'), 'state'), path.join(out('alone/r'), 'state'), { recursive: true });
    await expect(run('alone')).rejects.toThrow(
      /the saved state of scratch has batches in 8 shards, and this run has no/,
    );
  });
});

it('processes that start from other saved states are refused', async () => {
  await begun('mpi', {}, { processes: processesOf(lone()) });
  // The second process sees no state, as on a machine whose folder is another one.
  const both = played(2, (group) => run(['mpi', 'other'][group.rank]!, {}, { processes: processesOf(group) }));
  await expect(both).rejects.toThrow(/process 1 of 2 has another saved state of scratch than process 0/);
});

it('more processes than shards are refused', async () => {
  const two = played(2, (group) => run('two', { shards: 1 }, { processes: processesOf(group) }));
  await expect(two).rejects.toThrow(/started 2 processes, and a batch is cut into 1 shards/);
});
