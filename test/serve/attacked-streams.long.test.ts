import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { attacked, healthDuring } from './attacked.ts';
import type { Attacked } from './attacked.ts';
import { classifier } from './models.ts';
import { field, infers } from './wire.ts';

/** Milliseconds: see attacked.long.test.ts. */
const MOST_LATENCY = 250;
const MOST_MEMORY = 1024;

const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value)]);
/** Headers of a call (RFC 7541), which the first request puts into the table and all others name by its places. */
const first = (method: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x83, 0x86, 0x44]),
    text(`/inference.GRPCInferenceService/${method}`),
    Buffer.from([0x41]),
    text('127.0.0.1'),
    Buffer.from([0x5f]),
    text('application/grpc'),
    Buffer.from([0x40]),
    text('te'),
    text('trailers'),
  ]);
const again = Buffer.from([0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe]);

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const [DATA, HEADERS, RST, SETTINGS] = [0, 1, 3, 4];
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const cancel = Buffer.from([0, 0, 0, 8]);
const windowOf = (size: number): Buffer => {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(4, 0);
  setting.writeUInt32BE(size, 2);
  return setting;
};

/** A connection that makes `count` calls, which it resets, or whose answers it does not let through. */
function calls(count: number, method: string, message?: Uint8Array): Buffer {
  const parts = [preface, frame(SETTINGS, 0, 0, message === undefined ? Buffer.alloc(0) : windowOf(0))];
  for (let i = 0; i < count; i++) {
    const id = 2 * i + 1;
    parts.push(frame(HEADERS, 4, id, i === 0 ? first(method) : again));
    if (message === undefined) parts.push(frame(RST, 0, id, cancel));
    else {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      parts.push(frame(DATA, 1, id, Buffer.concat([prefix, message])));
    }
  }
  return Buffer.concat(parts);
}

async function send(port: number, bytes: Buffer): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  socket.write(bytes);
  return socket;
}

let folder: string;
const servers: Record<string, Attacked> = {};
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'limbeck-attacked-'));
  const tokenFile = path.join(folder, 'tokens');
  await writeFile(tokenFile, '0123456789abcdef0123\n');
  servers['without tokens'] = await attacked(folder, { 'animals.onnx': classifier() });
  servers['with tokens'] = await attacked(folder, {}, ['--token-file', tokenFile]);
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.end();
  await rm(folder, { recursive: true });
});

const x = field(
  5,
  Buffer.concat([field(1, Buffer.from('x')), field(2, Buffer.from('FP32')), field(3, Buffer.from([1, 4]))]),
);
const inference = infers('animals', x, field(7, Buffer.alloc(16)));

describe.each(['without tokens', 'with tokens'])('a server %s', (which) => {
  it.each<[string, Buffer, number]>([
    ['2,000 calls that are reset', calls(2000, 'ModelInfer'), 300],
    ['1,000 calls with a window of zero', calls(1000, 'ModelInfer', inference), 60],
    ['1,000 calls of health with a window of zero', calls(1000, 'ServerLive', new Uint8Array(0)), 60],
  ])('answers health beside connections with %s', async (name, bytes, connections) => {
    const server = servers[which]!;
    let health = { worst: Infinity, asked: 0, peak: 0, children: 0 };
    for (let tries = 0; tries < 3 && health.worst >= MOST_LATENCY; tries++) {
      const found = await healthDuring(server, async () => {
        const sockets: Socket[] = [];
        for (let i = 0; i < connections; i += 20)
          sockets.push(...(await Promise.all(Array.from({ length: 20 }, () => send(server.grpcPort, bytes)))));
        await new Promise((resolve) => setTimeout(resolve, 5000));
        sockets.forEach((socket) => socket.destroy());
      });
      if (found.worst < health.worst) health = found;
    }
    const { worst, asked, peak } = health;
    process.stdout.write(`${which}, ${name}: worst ${worst.toFixed(0)} ms of ${asked}, ${peak.toFixed(0)} MiB\n`);
    expect(worst).toBeLessThan(MOST_LATENCY);
    expect(peak).toBeLessThan(MOST_MEMORY);
  });
});
