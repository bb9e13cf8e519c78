import { spawnSync } from 'node:child_process';
import { mkdtempSync, readlinkSync, rmSync, statfsSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive, isOfEarlierStart, ownerText, parseOwner, thisProcess } from '../../../src/base/process/owner.ts';

const pid = spawnSync('true').pid;
const linux = process.platform === 'linux' ? it : it.skip;

it('a process of this machine lives, or is gone', async () => {
  const own = await thisProcess();
  expect(parseOwner(JSON.stringify(own))).toEqual(own);
  expect(await isAlive(own)).toBe(true);
  expect(await isAlive({ ...own, started: '1' })).toBe(false);
  expect(await isAlive({ ...own, pid })).toBe(false);
});

linux('of one of another machine with this host name and the first PID namespace nothing is said', async () => {
  const own = await thisProcess();
  const [space, boot] = own.namespace.split(' ');
  expect(boot).toMatch(/^[\da-f-]{36}$/);
  const other = { ...own, namespace: `${space!} 00000000-0000-4000-8000-000000000000` };
  expect(await isAlive({ ...other, pid })).toBeUndefined();
  expect(await isAlive(other)).toBeUndefined();
  expect(await ownerText(other)).toMatch(/^process \d+ on .* \(another machine or container of this name, or before/);
});

linux('one that was written without a boot id lives where it is seen, and is not taken for gone', async () => {
  const own = await thisProcess();
  const old = { ...own, namespace: own.namespace.split(' ')[0]! };
  expect(await isAlive(old)).toBe(true);
  expect(await ownerText(old)).toBe(`process ${old.pid}`);
  expect(await isAlive({ ...old, pid })).toBeUndefined();
  expect(await isAlive({ ...old, started: '1' })).toBeUndefined();
});

describe('one of another boot id', () => {
  const [first, container] = ['pid:[4026531836]', 'pid:[4026532197]'];
  const [before, now] = ['00000000-0000-4000-8000-000000000000', '4db49a73-3bcd-41d8-a83d-ba3ebac66551'];
  const [ext4, nfs, overlay] = [0xef53, 0x6969, 0x794c7630];

  it.each<[string, string, string, number | undefined, boolean]>([
    [
      'is from before a restart of the machine where its note lies on a disk',
      `${first} ${before}`,
      `${first} ${now}`,
      ext4,
      true,
    ],
    ['may be another machine on a network file system', `${first} ${before}`, `${first} ${now}`, nfs, false],
    [
      'may be another machine where the file system is not known',
      `${first} ${before}`,
      `${first} ${now}`,
      undefined,
      false,
    ],
    [
      'may be another container where the file system is one of containers',
      `${first} ${before}`,
      `${first} ${now}`,
      overlay,
      false,
    ],
    ['may be a container with a boot id of its own', `${container} ${before}`, `${first} ${now}`, ext4, false],
    [
      'may be outside of this container, which has a boot id of its own',
      `${first} ${before}`,
      `${container} ${now}`,
      ext4,
      false,
    ],
    ['may be another container', `${container} ${before}`, `${container} ${now}`, ext4, false],
    ['is of this start with the same one', `${first} ${now}`, `${first} ${now}`, ext4, false],
    ['is unknown without one', first, `${first} ${now}`, ext4, false],
    ['is unknown beside none', `${first} ${before}`, first, ext4, false],
    ['is unknown where there are neither', '', '', ext4, false],
  ])('%s', (_name, namespace, own, fileSystem, expected) => {
    expect(isOfEarlierStart({ namespace }, own, fileSystem)).toBe(expected);
  });

  const onDisk =
    process.platform === 'linux' && statfsSync(tmpdir()).type === ext4 && readlinkSync('/proc/self/ns/pid') === first;
  (onDisk ? it : it.skip)(
    'is gone where it is told from before a restart, by a note that nobody touched since',
    async () => {
      const own = await thisProcess();
      const earlier = { ...own, namespace: `${first} ${before}` };
      const note = path.join(mkdtempSync(path.join(tmpdir(), 'limbeck-owner-')), 'lock');
      writeFileSync(note, '');
      expect(await isAlive(earlier, note)).toBeUndefined();
      utimesSync(note, 1, 1);
      expect(await isAlive(earlier, note)).toBe(false);
      expect(await isAlive({ ...earlier, host: 'elsewhere' }, note)).toBeUndefined();
      expect(await isAlive(own, note)).toBe(true);
      rmSync(path.dirname(note), { recursive: true });
    },
  );
});
