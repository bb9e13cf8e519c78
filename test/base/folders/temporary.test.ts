import { once } from 'node:events';
import { spawn, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exists } from '../../../src/base/files.ts';
import { thisProcess } from '../../../src/base/process/owner.ts';
import { ownFolder } from '../../../src/base/folders/own-folder.ts';
import { temporaryFolder as made, userFolder } from '../../../src/base/folders/temporary.ts';
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

it('lies in a folder of this user alone, which is refused where it is a link, or where another user may enter it', async () => {
  const users = ownFolder(folder(), 'limbeck');
  expect(users).toBe(path.join(folder(), `limbeck-${process.geteuid!()}`));
  expect((await stat(users)).mode & 0o777).toBe(0o700);
  expect(ownFolder(folder(), 'limbeck')).toBe(users);
  await chmod(users, 0o777);
  expect(() => ownFolder(folder(), 'limbeck')).toThrow(
    /expected a folder of the user \d+ with the mode 0700, received .* 0777$/,
  );
  await rm(users, { recursive: true });
  await mkdir(path.join(folder(), 'other'), { mode: 0o700 });
  await symlink('other', users);
  expect(() => ownFolder(folder(), 'limbeck')).toThrow(/received a link, a file, or a folder of somebody else$/);
  const inUsers = await made('some-');
  expect(path.dirname(path.dirname(inUsers.path))).toBe(userFolder());
  await inUsers.remove();
});

describe('of a dead process', () => {
  const left = (): string => path.join(folder(), 'limbeck-some-dead');
  const victim = (): string => path.join(folder(), 'victim');

  beforeEach(async () => {
    await mkdir(left());
    await writeFile(path.join(left(), 'owner.json'), JSON.stringify({ ...(await thisProcess()), pid: spawnSync('true').pid })); // prettier-ignore
    await mkdir(path.join(victim(), 'deep'), { recursive: true });
    await writeFile(path.join(victim(), 'deep/file'), 'mine');
  });

  it('goes without what links in it lead to', async () => {
    await symlink(victim(), path.join(left(), 'files'));
    await symlink(path.join(victim(), 'deep/file'), path.join(left(), 'file'));
    await (await made('limbeck-some-', folder())).remove();
    expect((await readdir(folder())).sort()).toEqual(['victim']);
    expect(await readFile(path.join(victim(), 'deep/file'), 'utf8')).toBe('mine');
  });

  it('stays where it is a link to a folder, although that has an owner who is gone', async () => {
    await cp(path.join(left(), 'owner.json'), path.join(victim(), 'owner.json'));
    await rm(left(), { recursive: true });
    await symlink(victim(), left());
    await (await made('limbeck-some-', folder())).remove();
    expect((await readdir(victim(), { recursive: true })).sort()).toEqual(['deep', 'deep/file', 'owner.json']);
  });

  // Only root can make files of another user.
  (process.geteuid?.() === 0 ? it : it.skip)(
    "stays where it is another user's, who puts links in place of its folders all the while",
    async () => {
      await mkdir(path.join(left(), 'files'));
      for (let i = 0; i < 50; i++) await mkdir(path.join(left(), `files/${i}`));
      const NOBODY = 65_534;
      spawnSync('chown', ['-R', String(NOBODY), left()]);
      await chmod(folder(), 0o1777);
      // A recursive removal that looks first and removes by name afterwards would follow one of these links.
      const swaps = `cd ${left()} && while :; do mv files aside && ln -s ${victim()} files && rm files && mv aside files; done`;
      const swapping = spawn('sh', ['-c', swaps], { uid: NOBODY, gid: NOBODY, stdio: 'ignore', detached: true });
      const ended = once(swapping, 'exit');
      try {
        for (let i = 0; i < 20; i++) await (await made('limbeck-some-', folder())).remove();
      } finally {
        // With the command that the shell runs just now, which would make a link while the folder is removed.
        process.kill(-swapping.pid!, 'SIGKILL');
        await ended;
      }
      expect((await stat(left())).uid).toBe(NOBODY);
      expect(await readdir(left())).toContain('owner.json');
      expect(await readFile(path.join(victim(), 'deep/file'), 'utf8')).toBe('mine');
    },
  );
});
