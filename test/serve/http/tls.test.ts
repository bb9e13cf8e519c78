import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { serveHttp } from '../../../src/serve/http/server.ts';
import type { HttpOptions } from '../../../src/serve/http/server.ts';
import { Access } from '../../../src/serve/http/access.ts';
import { BodyBudget } from '../../../src/serve/http/body.ts';
import { Unread } from '../../../src/serve/http/unread.ts';
import type { Site } from '../../../src/serve/http/call.ts';
import { readTls } from '../../../src/serve/http/tls.ts';
import { ROOT } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';

const [cert, key] = ['cert.pem', 'key.pem'].map((file) => path.join(ROOT, 'test/serve/fixtures', file)) as [
  string,
  string,
];
const folder = temporaryFolder();
const lines: string[] = [];
const log = { write: (_: string, message: string) => void lines.push(message), close: () => Promise.resolve() };

it('refuses a certificate and a key that TLS cannot use together, with the names of both', async () => {
  const other = path.join(folder(), 'other.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(other, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const locked = path.join(folder(), 'locked.pem');
  const cipher = { cipher: 'aes-128-cbc', passphrase: 'secret' };
  await writeFile(locked, privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }));
  for (const files of [
    { cert, key: other },
    { cert, key: locked },
    { cert: other, key },
  ])
    await expect(readTls(files, log)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(/^serve: .*\.pem and .*\.pem are no certificate and key for TLS: /) as string,
    });
});

it('warns of a certificate that clients will refuse by its dates', async () => {
  const { now } = Date;
  try {
    await readTls({ cert, key }, log);
    expect(lines).toEqual([]);
    Date.now = () => Date.UTC(2990, 1, 1);
    await readTls({ cert, key }, log);
    expect(lines).toEqual([expect.stringMatching(/cert\.pem: valid from .* to .*, not now: clients will refuse it$/)]);
  } finally {
    Date.now = now;
  }
});

it('closes a connection that does not finish its handshake in the time of the headers', async () => {
  const options = {
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 300,
    maxConnections: 10,
    maxConnectionsEach: 10,
    log,
  };
  const server = await serveHttp(
    { host: { addresses: [] } } as unknown as Site,
    { ...options, tls: await readTls({ cert, key }, log) } as HttpOptions,
  );
  const slow = connect(server.port, '127.0.0.1').resume();
  // The head of a record that does not come.
  slow.write(Buffer.from([0x16, 3, 1, 2, 0]));
  const began = performance.now();
  await once(slow, 'close');
  expect(performance.now() - began).toBeLessThan(5000);
  await server.close();
});

it.each([false, true])(
  'of an address with two connections, a third takes the place of the older that waits for nothing; TLS: %s',
  async (isTls) => {
    const tls = isTls ? await readTls({ cert, key }, log) : undefined;
    // Asked for its metrics, the server answers when it is told to.
    let answer: (() => void)[] = [];
    const metrics = async () => {
      await new Promise<void>((resolve) => answer.push(resolve));
      return { text: 'some', type: 'text/plain' };
    };
    const server = await serveHttp({ host: { addresses: [] }, openMetrics: true, metrics } as unknown as Site, {
      ...{ host: '127.0.0.1', port: 0, log, tls, requestTimeoutMs: 10_000, maxBody: 1000 },
      ...{ maxConnections: 10, maxConnectionsEach: 2, onAnswer: () => undefined },
      ...{ access: new Access({ tokens: [], loopback: true }), budget: new BodyBudget(1000), unread: new Unread(1000) },
    });
    const opened = async () => {
      const socket = isTls
        ? connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
        : connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, isTls ? 'secureConnect' : 'connect');
      const state = { socket, said: '' };
      socket.on('data', (data) => (state.said += String(data)));
      return state;
    };
    const waits = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const ask = 'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';
    const busy = await opened();
    busy.socket.write(ask);
    await waits(() => answer.length === 1);
    // The head of a request that does not come.
    const slow = await opened();
    slow.socket.write('GET / HTTP/1.1\r\nx: ');
    const third = await opened();
    third.socket.write(ask);
    await waits(() => answer.length === 2);
    expect([busy.socket.destroyed, slow.socket.destroyed]).toEqual([false, true]);
    // Both wait for answers now: a fourth is closed.
    const fourth = connect(server.port, '127.0.0.1').resume();
    await once(fourth, 'close');
    answer.forEach((one) => one());
    await waits(() => busy.said.endsWith('some') && third.said.endsWith('some'));
    answer = [];
    // The one that asked first is the older now.
    await opened();
    await waits(() => busy.socket.destroyed);
    expect(third.socket.destroyed).toBe(false);
    await server.close();
  },
);
