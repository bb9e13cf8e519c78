import { spawnSync } from 'node:child_process';
import { isAlive, ownerText, parseOwner, thisProcess } from '../../src/base/owner.ts';

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
