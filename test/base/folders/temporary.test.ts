import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exists } from '../../../src/base/files.ts';
import { thisProcess } from '../../../src/base/process/owner.ts';
import { temporaryFolder as made } from '../../../src/base/folders/temporary.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();
it('a temporary folder goes with its files when it is not needed any more', async () => {
  const { path: own, remove } = await made('limbeck-some-', folder());
  await writeFile(path.join(own, 'a'), '');
  expect(own.startsWith(path.join(folder(), 'limbeck-some-'))).toBe(true);
  await remove();
  expect(await readdir(folder())).toEqual([]);
});

it('it goes when the process exits before that', async () => {
  const before = process.listeners('exit');
  const { path: own, remove } = await made('limbeck-some-', folder());
  const [atExit] = process.listeners('exit').filter((one) => !before.includes(one));
  expect(await exists(own)).toBe(true);
  atExit!(0);
  expect(await readdir(folder())).toEqual([]);
  await remove();
  expect(process.listeners('exit')).toEqual(before);
});

it('those of processes of this machine that are gone go when the next one is made, and no others', async () => {
  const own = await thisProcess();
  const dead = { ...own, pid: spawnSync('true').pid };
  const owners = { own, dead, later: { ...own, started: '1' }, elsewhere: { ...dead, host: 'elsewhere' }, container: { ...dead, namespace: 'pid:[1]' }, making: undefined }; // prettier-ignore
  for (const [name, owner] of Object.entries(owners)) {
    await mkdir(path.join(folder(), `limbeck-some-${name}`));
    if (owner !== undefined) await writeFile(path.join(folder(), `limbeck-some-${name}/owner.json`), JSON.stringify(owner)); // prettier-ignore
  }
  await mkdir(path.join(folder(), 'limbeck-other-dead'));
  await writeFile(path.join(folder(), 'limbeck-other-dead/owner.json'), JSON.stringify(dead));
  const { remove } = await made('limbeck-some-', folder());
  await remove();
  const left = [
    'limbeck-other-dead',
    ...['container', 'elsewhere', 'making', 'own'].map((name) => `limbeck-some-${name}`),
  ];
  expect((await readdir(folder())).sort()).toEqual(left.sort());
});
