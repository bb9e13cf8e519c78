import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { built } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { classifier } from './models.ts';
import { ask, serving } from './server.ts';

const folder = temporaryFolder();

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
