import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { concatBytes } from '../../../src/base/bytes.ts';
import { CheckpointStore } from '../../../src/folder/states/checkpoint.ts';
import type { Safetensors } from '../../../src/formats/safetensors.ts';
import { readSealed } from '../../../src/files/safetensors-file.ts';
import { seal } from '../../../src/formats/sealed.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

function state(step: number): Safetensors {
  return {
    tensors: new Map([['w', { dtype: 'float32', shape: [4], data: new Float32Array(4).fill(step) }]]),
    metadata: { step: String(step), note: 'ä' },
  };
}

async function savedSteps(store: CheckpointStore, ...steps: number[]): Promise<void> {
  for (const step of steps) await store.save('distill', state(step));
}

const stateFiles = async (): Promise<string[]> => (await readdir(path.join(folder(), 'state'))).sort();

describe('the saved states of a run', () => {
  it('come back as they were saved, the newest first', async () => {
    const store = new CheckpointStore(folder(), fail);
    expect(await store.load('distill')).toBeUndefined();
    await savedSteps(store, 1, 2);
    expect(await store.load('distill')).toEqual(state(2));
  });

  it('are kept two per stage, other stages untouched', async () => {
    const store = new CheckpointStore(folder(), fail);
    await store.save('distill-2', state(9));
    await savedSteps(store, 1, 2, 3, 4);
    expect(await stateFiles()).toEqual([
      'distill-000003.safetensors',
      'distill-000004.safetensors',
      'distill-2-000001.safetensors',
    ]);
    expect(await store.load('distill-2')).toEqual(state(9));
  });

  it.each([
    ['truncated', (file: string) => truncate(file, 100)],
    ['empty', (file: string) => truncate(file, 0)],
    ['grown', async (file: string) => writeFile(file, Buffer.concat([await readFile(file), Buffer.from('x')]))],
    ['of another kind', (file: string) => writeFile(file, 'hello, this is no state at all')],
  ])('a newest one that is %s gives way to the one before, with a warning', async (_name, damage) => {
    const warnings: string[] = [];
    const store = new CheckpointStore(folder(), (warning) => warnings.push(warning));
    await savedSteps(store, 1, 2);
    await damage(path.join(folder(), 'state', 'distill-000002.safetensors'));
    expect(await store.load('distill')).toEqual(state(1));
    expect(warnings).toEqual([expect.stringMatching(/distill-000002\.safetensors: .*the one before it is used$/)]);
    // Saving goes on, and the damaged one does not push the good one out.
    await store.save('distill', state(3));
    expect((await store.load('distill'))?.metadata['step']).toBe('3');
    expect(await stateFiles()).toHaveLength(2);
  });

  it('with none left that is good, say that the stage starts again', async () => {
    const warnings: string[] = [];
    const store = new CheckpointStore(folder(), (warning) => warnings.push(warning));
    await savedSteps(store, 1, 2);
    for (const name of await stateFiles()) await truncate(path.join(folder(), 'state', name), 9);
    expect(await store.load('distill')).toBeUndefined();
    expect(warnings[1]).toMatch(/the stage starts again$/);
  });

  it('notice a flip of a bit of any byte of the file', async () => {
    const bytes = concatBytes(seal(state(1)));
    const file = path.join(folder(), 'x');
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << (at % 8);
      await writeFile(file, flipped);
      await expect(readSealed(file)).rejects.toThrow(/x: (damaged|not a valid)/);
    }
    await writeFile(file, bytes);
    expect(await readSealed(file)).toEqual(state(1));
  });
});

function fail(message: string): never {
  throw new Error(`unexpected warning: ${message}`);
}
