import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { writeFile } from 'node:fs/promises';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isFromOtherPage, isLoopback } from '../../../src/base/web.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { classifier } from '../models.ts';
import { ask, floats, serving } from '../server.ts';
import type { Served } from '../server.ts';
import { field } from '../wire.ts';

it('an address of this machine is one by its bytes, not by its letters', () => {
  for (const own of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', 'localhost'])
    expect([own, isLoopback(own)]).toEqual([own, true]);
  for (const other of [
    '127.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0',
    '128.0.0.1',
    '::2',
    'localhost.evil.example',
    '0.0.0.0',
    '',
  ])
    expect([other, isLoopback(other)]).toEqual([other, false]);
});

describe('a request', () => {
  /** True if it is taken for that of another page; lines of headers as they are sent. */
  const refused = async (lines: readonly string[], method = 'GET'): Promise<boolean> => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const request = new Promise<boolean>((resolve) => {
      server.once('request', (received: IncomingMessage) => resolve(isFromOtherPage(received, true)));
    });
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${method} / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`),
    );
    const answer = await request;
    socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return answer;
  };
  const host = 'host: 127.0.0.1:8000';

  it.each<readonly [string, readonly string[], boolean]>([
    ['of a program', [host], false],
    ['of the page itself', [host, 'origin: http://127.0.0.1:8000', 'sec-fetch-site: same-origin'], false],
    ['typed by a person', [host, 'sec-fetch-site: none'], false],
    ['by a name that begins like an address', ['host: 127.evil.example:8000'], true],
    ['by such a name, with its origin', ['host: 127.evil.example', 'origin: http://127.evil.example'], true],
    ['with two hosts', [host, 'host: evil.example'], true],
    ['that another page shows', [host, 'sec-fetch-site: cross-site'], true],
    ['that a page of another port shows', [host, 'sec-fetch-site: same-site', 'sec-fetch-mode: no-cors'], true],
    [
      'by a link to the page',
      [host, 'sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', 'sec-fetch-dest: document'],
      false,
    ],
    ['in a frame', [host, 'sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', 'sec-fetch-dest: iframe'], true],
  ])('%s', async (_, lines, expected) => {
    expect(await refused(lines)).toBe(expected);
  });

  it('by a form of another page', async () => {
    const lines = [host, 'sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', 'sec-fetch-dest: document'];
    expect(await refused(lines, 'POST')).toBe(true);
  });
});

describe('a server with tokens', () => {
  const [token, second] = ['0123456789abcdef0123', '9876543210fedcba9876'];
  let folder: string;
  let server: Served;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'limbeck-access-'));
    const [tokenFile, accessLog] = [path.join(folder, 'tokens'), path.join(folder, 'access')];
    appendFileSync(tokenFile, `${token}\n${second}\n`);
    server = await serving({ 'animals.onnx': classifier() }, { tokenFile, accessLog, openMetrics: true });
  });
  afterAll(async () => {
    await server.end();
    rmSync(folder, { recursive: true });
  });
  const asked = (given: string, place = '/v2') => ask(server, place, { headers: { authorization: `Bearer ${given}` } });

  it('keeps inputs, headers and what stands behind the ? of an address out of its log', async () => {
    await asked(token, '/v2/models/animals?token=secret-of-somebody');
    const headers = { authorization: `Bearer ${token}`, 'user-agent': 'secret' };
    for (const body of ['secret', '{"secret": 1}', '{"inputs": [{"name": "secret", "datatype": "secret"}]}'])
      for (const place of ['/v1/animals', '/v2/models/animals/infer'])
        await ask(server, place, { method: 'POST', headers, body });
    await ask(server, '/v1?secret-of-somebody');
    while (!readFileSync(path.join(folder, 'access'), 'utf8').includes('"/v1"'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(readFileSync(path.join(folder, 'access'), 'utf8')).not.toContain('secret');
  });

  it('shows its metrics to scrapers, if it is told to', async () => {
    expect((await ask(server, '/metrics')).status).toBe(200);
  });

  it('lets an address guess a few times a second, and those it knows through meanwhile', async () => {
    expect((await asked(token)).status).toBe(200);
    const wrong = Array.from({ length: 60 }, (_, i) => `wrong-token-number-${i}`);
    // With the guesses, as some more are allowed a moment later.
    const guesses = await Promise.all([...wrong, second].map((given) => asked(given)));
    const late = guesses.filter(({ status }) => status === 429);
    expect(late.length).toBeGreaterThan(30);
    expect(late[0]!.headers['retry-after']).toBe('1');
    // Not told that it is right: nobody from here has sent it before.
    expect(guesses.at(-1)!.status).toBe(429);
    expect((await asked(token)).status).toBe(200);
    expect(
      (
        await ask(server, '/v2/models/animals/infer', {
          body: floats({ x: [[1, 2, 3, 4]] }),
          headers: { authorization: `Bearer ${token}` },
        })
      ).status,
    ).toBe(200);
  });
});

describe('tokens with rights', () => {
  const tokens = { none: 'a'.repeat(20), load: 'b'.repeat(20), both: 'c'.repeat(20) };
  const folder = temporaryFolder();
  const file = async (lines: string): Promise<string> => {
    const place = path.join(folder(), 'tokens');
    await writeFile(place, lines);
    return place;
  };

  it('may do what stands behind them, over HTTP and gRPC, and read by themselves', async () => {
    const tokenFile = await file(`${tokens.none}\n${tokens.load} load\n${tokens.both} read load\n`);
    const server = await serving({ 'animals.onnx': classifier() }, { tokenFile, grpcPort: 0, host: '127.0.0.1' });
    const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
    const found: Record<string, unknown> = {};
    for (const [name, token] of Object.entries(tokens)) {
      const headers = { authorization: `Bearer ${token}` };
      const of = async (place: string, body?: object) => (await ask(server, place, { body, headers })).status;
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${token}`);
      const called = await new Promise<number>((resolve) => {
        const place = '/inference.GRPCInferenceService/RepositoryModelLoad';
        const done = (error: ServiceError | null): void => resolve(error?.code ?? 0);
        const same = (bytes: Buffer): Buffer => bytes;
        client.makeUnaryRequest(place, same, same, field(2, Buffer.from('animals')), metadata, {}, done);
      });
      const [read, load, unload] = [
        await of('/v2/models/animals'),
        await of('/v2/repository/models/animals/load', {}),
        await of('/v2/repository/models/other/unload', {}),
      ];
      found[name] = { read, load, unload, called };
    }
    expect(found).toEqual({
      none: { read: 200, load: 403, unload: 403, called: 7 },
      load: { read: 403, load: 200, unload: 404, called: 0 },
      both: { read: 200, load: 200, unload: 404, called: 0 },
    });
    client.close();
    await server.end();
  });

  it('have no other rights', async () => {
    const tokenFile = await file(`${tokens.none} write\n`);
    await expect(serving({ 'animals.onnx': classifier() }, { tokenFile })).rejects.toMatchObject({
      message: `${tokenFile}: a token has the right "write", expected read or load`,
    });
  });

  it('are asked for where other machines reach the server', async () => {
    await expect(serving({ 'animals.onnx': classifier() }, { host: '0.0.0.0' })).rejects.toMatchObject({
      message: expect.stringContaining('other machines reach 0.0.0.0, and there are no tokens') as unknown,
    });
  });
});

it('clients are not told where on the server files lie', async () => {
  const server = await serving({ 'animals.onnx': classifier() });
  appendFileSync(path.join(server.folder, 'broken.onnx'), 'nothing');
  const load = await ask(server, '/v2/repository/models/broken/load', { body: {} });
  expect(load.json.error).toMatch(/^broken\.onnx: /);
  const index = await ask(server, '/v2/repository/index', { body: {} });
  expect(index.body.toString()).toContain('"broken.onnx: ');
  expect(index.body.toString()).not.toContain(server.folder);
  expect(server.lines.some((line) => line.includes(path.join(server.folder, 'broken.onnx')))).toBe(true);
  await server.end();
});
