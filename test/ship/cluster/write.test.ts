import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { thisProcess } from '../../../src/base/process/owner.ts';
import { writeInto } from '../../../src/ship/cluster/write.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();
const files = new Map<string, string | Uint8Array>([
  ['a.txt', 'A'],
  ['1/b.bin', new Uint8Array([1])],
]);
const read = async (name: string) => readFile(path.join(folder(), 'new', name), 'utf8');

it('writes the same files again, and nothing over others', async () => {
  const at = path.join(folder(), 'new');
  await writeInto(at, files, false);
  await writeInto(at, files, false);
  expect((await readdir(at, { recursive: true })).sort()).toEqual(['1', '1/b.bin', 'a.txt']);
  await writeFile(path.join(at, 'a.txt'), 'edited');
  await expect(writeInto(at, files, false)).rejects.toThrow(/one that holds .*a\.txt/);
  expect(await read('a.txt')).toBe('edited');
  await writeInto(at, files, true);
  expect(await read('a.txt')).toBe('A');
  await mkdir(path.join(at, 'mine'));
  await writeFile(path.join(at, 'mine/c.txt'), 'C');
  await expect(writeInto(at, files, false)).rejects.toThrow(/mine\/c\.txt/);
  await writeInto(at, files, true);
  expect(await read('mine/c.txt')).toBe('C');
});

it('goes on where an attempt was killed, and leaves nothing of that', async () => {
  const at = path.join(folder(), 'new');
  // The process of this owner is gone.
  const owner = JSON.stringify({ ...(await thisProcess()), pid: 2 ** 30 });
  for (const place of [folder(), at]) {
    const left = path.join(place, '.limbeck-files-a1b2c3');
    await mkdir(path.join(left, 'files/1'), { recursive: true });
    await writeFile(path.join(left, 'owner.json'), owner);
    await writeFile(path.join(left, 'files/a.txt'), 'hal');
    await writeInto(at, files, false);
  }
  expect(await readdir(folder())).toEqual(['new']);
  expect((await readdir(at, { recursive: true })).sort()).toEqual(['1', '1/b.bin', 'a.txt']);
  expect(await read('a.txt')).toBe('A');
});

it('finishes an attempt that was killed while it moved its files before it looks at what is there', async () => {
  const at = path.join(folder(), 'new');
  await mkdir(path.join(at, '.limbeck-files-a1b2c3/ready/1'), { recursive: true });
  await writeFile(path.join(at, '.limbeck-files-a1b2c3/ready/1/b.bin'), 'B');
  await writeFile(path.join(at, 'a.txt'), 'A');
  await expect(writeInto(at, files, false)).rejects.toThrow(/one that holds .*1\/b\.bin/);
  expect((await readdir(at, { recursive: true })).sort()).toEqual(['1', '1/b.bin', 'a.txt']);
  expect(await read('1/b.bin')).toBe('B');
});

it('refuses a file in place of the folder', async () => {
  await writeFile(path.join(folder(), 'new'), '');
  await expect(writeInto(path.join(folder(), 'new'), files, false)).rejects.toThrow(/expected a folder/);
});
