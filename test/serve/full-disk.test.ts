import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { TransferSet } from '../../src/serve/shadow/keep.ts';
import { built } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { classifier } from './models.ts';
import { ask, serving } from './server.ts';

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

const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('ends the access log with one message, and the server answers on', async () => {
  const server = await serving({ 'animals.onnx': classifier() }, { accessLog: '/dev/full' });
  for (let i = 0; i < 5; i++) expect((await ask(server, '/v2')).status).toBe(200);
  const found = (): string[] => server.lines.filter((line) => line.includes('the access log ends here: ENOSPC'));
  while (found().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  for (let i = 0; i < 5; i++) expect((await ask(server, '/v2')).status).toBe(200);
  expect(found()).toHaveLength(1);
  await server.end();
});

onLinux('loses the log that a shell writes for it with one message, and the server answers on', async () => {
  await writeFile(path.join(folder(), 'animals.onnx'), classifier());
  const port = await freePort();
  const args = ['serve', folder(), '--port', String(port), '--workers', '1', '--verbose'];
  const full = await open('/dev/full', 'w');
  const server = spawn(process.execPath, [path.join(built(), 'dist/cli.js'), ...args], {
    stdio: ['ignore', full.fd, 'pipe'],
  });
  let said = '';
  server.stderr!.on('data', (text) => (said += String(text)));
  const answer = (): Promise<number> =>
    ask({ port }, '/v2').then(
      ({ status }) => status,
      () => 0,
    );
  while ((await answer()) !== 200 && server.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
  for (let i = 0; i < 3; i++) expect(await answer()).toBe(200);
  server.kill('SIGTERM');
  expect(await once(server, 'close')).toEqual([0, null]);
  expect(said.match(/^cannot print: ENOSPC: no space left on device, write$/gm)).toHaveLength(1);
  await full.close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
