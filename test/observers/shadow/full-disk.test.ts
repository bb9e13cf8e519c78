import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { TransferSet } from '../../../src/observers/shadow/keep.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

it('ends the transfer set with one message, and leaves what is in it as it is', async () => {
  const form = { sampleShape: [2, 2, 1], dtype: 'uint8', classes: 3 } as const;
  const one = { sample: Uint8Array.of(1, 2, 3, 4), label: 2, logits: Float32Array.of(0, 1, 2) };
  const told: string[] = [];
  let unhandled = 0;
  const count = (): number => unhandled++;
  process.on('unhandledRejection', count);
  const set = await TransferSet.open(folder(), form, 1e6);
  const add = (): boolean => set.add(one, (why) => told.push(why));
  add();
  const file = await open(path.join(folder(), 'any'), 'w');
  const prototype = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  while (set.rows < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const write = prototype.write;
  prototype.write = () => Promise.reject(full);
  for (let i = 0; i < 3; i++) expect(add()).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  prototype.write = write;
  add();
  await set.close();
  process.off('unhandledRejection', count);
  expect(told).toEqual(['ENOSPC: no space left on device, write']);
  expect(unhandled).toBe(0);
  expect(set.rows).toBe(1);
  const again = await TransferSet.open(folder(), form, 1e6);
  expect(again.rows).toBe(1);
  await again.close();
});

it('refuses a folder for the transfer set in which nothing can be written', async () => {
  const kept = path.join(folder(), 'kept');
  const form = { sampleShape: [2], dtype: 'float32', classes: 2 } as const;
  const file = await open(path.join(folder(), 'any'), 'w');
  const prototype = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  const { write } = prototype;
  prototype.write = () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
  const refused = { name: 'UserError', message: `${kept}: cannot write it: ENOSPC` };
  await expect(TransferSet.open(kept, form, 1e6)).rejects.toMatchObject(refused);
  prototype.write = write;
});
