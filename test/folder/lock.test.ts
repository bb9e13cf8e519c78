import { spawn } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { utimesSync, writeFileSync } from 'node:fs';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { thisProcess } from '../../src/base/process/owner.ts';
import { lockRun } from '../../src/folder/lock.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const lockFile = (): string => path.join(folder(), 'lock');
/** A lock of a process that is this one but for some of it. */
const lockOf = async (other: object): Promise<string> => JSON.stringify({ ...(await thisProcess()), ...other });

describe('the lock of a run', () => {
  it('keeps a second one out until it is released', async () => {
    const release = await lockRun(folder());
    await expect(lockRun(folder())).rejects.toThrow(`another process works on this run`);
    await release();
    await (
      await lockRun(folder())
    )();
    expect(await readdir(folder())).toEqual([]);
  });

  it('is taken over from a process that is gone', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('exit', resolve));
    await writeFile(lockFile(), await lockOf({ pid: child.pid, started: '1' }));
    await (
      await lockRun(folder())
    )();
  });

  it('is taken over from a process that has ended and whose parent has not noticed', async () => {
    // The shell becomes a process that never waits for its child.
    const shell = spawn('sh', ['-c', 'sleep 30 & echo $!; exec sleep 30']);
    const pid = Number(await new Promise((resolve) => shell.stdout.once('data', resolve)));
    const fields = async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
    await writeFile(lockFile(), await lockOf({ pid, started: (await fields())[19] }));
    await expect(lockRun(folder())).rejects.toThrow(/another process/);
    process.kill(pid);
    while ((await fields())[0] !== 'Z') await new Promise((resolve) => setTimeout(resolve, 20));
    await (
      await lockRun(folder())
    )();
    shell.kill();
  });

  it('is taken over when its process id belongs to a later process', async () => {
    await writeFile(lockFile(), await lockOf({ started: 'long ago' }));
    await (
      await lockRun(folder())
    )();
  });

  it('is taken over when its process was killed while writing it', async () => {
    await writeFile(lockFile(), '{"pid":');
    await (
      await lockRun(folder())
    )();
  });

  it('of another machine is left alone', async () => {
    await writeFile(lockFile(), await lockOf({ pid: 1, host: 'elsewhere', started: '1' }));
    await expect(lockRun(folder())).rejects.toThrow(/process 1 on elsewhere/);
    expect(await readFile(lockFile(), 'utf8')).toContain('elsewhere');
  });

  it('of a process of another container is watched, although no process of this one has its number', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('exit', resolve));
    await writeFile(lockFile(), await lockOf({ pid: child.pid, namespace: 'pid:[1]', beats: true }));
    const touching = setInterval(() => void utimes(lockFile(), new Date(), new Date()), 20);
    await expect(lockRun(folder(), { silentMs: 400 })).rejects.toThrow(/another machine or container of this name/);
    clearInterval(touching);
    const told: string[] = [];
    const release = await lockRun(folder(), { silentMs: 100, onWait: (message) => told.push(message) });
    expect(told).toEqual([
      expect.stringContaining(`process ${child.pid} on ${hostname()} (another machine or container of this name`),
    ]);
    await release();
  });

  it('of another machine is watched: taken over when it is silent, left alone when it is touched', async () => {
    await writeFile(lockFile(), await lockOf({ pid: 1, host: 'elsewhere', started: '1', beats: true }));
    const touching = setInterval(() => void utimes(lockFile(), new Date(), new Date()), 20);
    await expect(lockRun(folder(), { silentMs: 400 })).rejects.toThrow(/process 1 on elsewhere/);
    clearInterval(touching);
    const told: string[] = [];
    const release = await lockRun(folder(), { silentMs: 100, beatMs: 10, onWait: (message) => told.push(message) });
    expect(told).toHaveLength(1);
    const before = (await stat(lockFile())).mtimeMs;
    // Ends by the test's own limit if nothing touches it.
    while ((await stat(lockFile())).mtimeMs <= before) await new Promise((resolve) => setTimeout(resolve, 10));
    await release();
  });

  it('that changes hands while it is looked at stays with its new owner', async () => {
    await writeFile(lockFile(), await lockOf({ pid: 1, host: 'elsewhere', started: '1', beats: true }));
    utimesSync(lockFile(), 1000, 1000);
    const taken = await lockOf({ pid: 2, host: 'elsewhere', started: '2' });
    const onWait = (): void => {
      writeFileSync(lockFile(), taken);
      // As if nobody had touched it.
      utimesSync(lockFile(), 1000, 1000);
    };
    await expect(lockRun(folder(), { silentMs: 100, onWait })).rejects.toThrow(/process 2 on elsewhere/);
    expect(await readFile(lockFile(), 'utf8')).toBe(taken);
  });

  it('that another process took over stays with it, and the first one is told', async () => {
    const told: string[] = [];
    const release = await lockRun(folder(), { beatMs: 5, onLost: (message) => told.push(message) });
    const taken = await lockOf({ pid: 1, host: 'elsewhere', started: '1', beats: true });
    await writeFile(lockFile(), taken);
    // Node reads files in threads that these calls keep busy: many beats are due before one of them has read the lock.
    await Promise.all(Array.from({ length: 8 }, () => promisify(pbkdf2)('', '', 100_000, 64, 'sha512')));
    while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(told).toHaveLength(1);
    await release();
    expect(await readFile(lockFile(), 'utf8')).toBe(taken);
  });

  it('goes to exactly one of many that ask at once for a stale one', async () => {
    await writeFile(lockFile(), await lockOf({ started: 'long ago' }));
    const results = await Promise.allSettled(Array.from({ length: 32 }, () => lockRun(folder())));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
