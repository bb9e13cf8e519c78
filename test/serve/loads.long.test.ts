import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { classifier, endless } from './models.ts';
import { ask, floats, serving } from './server.ts';

const folder = temporaryFolder();
const load = '/v2/repository/models/animals/load';
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('loads that nobody waits for are not begun, and others are refused while many wait', async () => {
  const server = await serving({ 'animals.onnx': classifier(), 'others.onnx': classifier() });
  // A load after which all others come.
  const first = ask(server, load, { body: {} });
  const abandoned = Array.from({ length: 100 }, () => {
    const sent = request({ ...{ port: server.port, host: '127.0.0.1', path: load, method: 'POST', agent: false } });
    sent.on('error', () => undefined);
    sent.end('{}');
    return sent;
  });
  await pause(300);
  for (const sent of abandoned) sent.destroy();
  const began = performance.now();
  expect((await first).status).toBe(200);
  let status = 503;
  for (let tries = 0; status === 503 && tries < 100; tries++) {
    ({ status } = await ask(server, load, { body: {} }));
    if (status === 503) await pause(20);
  }
  const waited = performance.now() - began;
  process.stdout.write(`after 100 abandoned loads the next took ${(waited / 1000).toFixed(1)} s\n`);
  expect(status).toBe(200);
  expect(server.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  // At most those that were begun: the first one, one that was abandoned meanwhile, and this one.
  expect(Number(/animals (\d+)/.exec(server.host.model('animals').key)![1])).toBeLessThan(12);
  await server.end();
});

it('a load ends with its client', async () => {
  const server = await serving({ 'animals.onnx': classifier() }, { loadSeconds: 600 });
  await writeFile(path.join(server.folder, 'endless.onnx'), endless());
  const place = '/v2/repository/models/endless/load';
  const sent = request({ port: server.port, host: '127.0.0.1', path: place, method: 'POST', agent: false });
  sent.on('error', () => undefined);
  sent.end('{}');
  await pause(3000);
  sent.destroy();
  // It would go on for ten minutes.
  expect((await ask(server, load, { body: {} })).status).toBe(200);
  expect((await ask(server, '/v2/models/animals/infer', { body: floats({ x: [[1, 2, 3, 4]] }) })).status).toBe(200);
  await server.end();
});

it.each(['while it starts', 'while it serves others'])(
  'a signal ends a server that loads a slow file: %s',
  async (when) => {
    const others = when !== 'while it starts';
    await writeFile(path.join(folder(), 'animals.onnx'), classifier());
    await writeFile(path.join(folder(), 'endless.onnx'), endless());
    const files = others ? ['animals.onnx', folder()] : ['endless.onnx'];
    if (others) spawnSync('rm', [path.join(folder(), 'endless.onnx')]);
    const { child, finished, output } = start(folder(), [
      'serve',
      ...files,
      '--port',
      '0',
      '--json',
      '--load-timeout',
      '600',
    ]);
    if (others) {
      while (!output().includes('url')) await pause(20);
      const port = Number(/:(\d+)"/.exec(output())![1]);
      await writeFile(path.join(folder(), 'endless.onnx'), endless());
      void ask({ port }, '/v2/repository/models/endless/load', { body: {} }).catch(() => undefined);
    }
    await pause(4000);
    const began = performance.now();
    child.kill('SIGTERM');
    const { code, stderr } = await finished;
    process.stdout.write(`${when}: ended after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    expect([code, stderr.includes('bug')]).toEqual([others ? 0 : 143, false]);
    expect(performance.now() - began).toBeLessThan(20_000);
  },
);
