import { Client, compressionAlgorithms, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../support/folder.ts';
import { centred, classifier, echo } from './models.ts';
import { ask, binary, floats, serving } from './server.ts';
import type { Served } from './server.ts';
import { field, infers } from './wire.ts';

const x = [[1, -2, 0.5, 3]];

describe('a server', () => {
  let server: Served;
  let client: Client;
  beforeAll(async () => {
    server = await serving({ 'animals.onnx': classifier(), 'pixels.onnx': echo([28, 28, 1], {}) }, { grpcPort: 0 });
    client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    });
  });
  afterAll(async () => {
    client.close();
    await server.end();
    expect(server.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  const infer = async (body: string | Uint8Array | object, headers: Record<string, string> = {}, model = 'animals') => {
    const { status: code, json } = await ask(server, `/v2/models/${model}/infer`, { body, headers });
    return `${code} ${String(json.error)}`;
  };
  const many = (item: string, count: number): string => new Array(count).fill(item).join(',');

  it.each<readonly [string, string, RegExp]>([
    ['arrays in arrays', '['.repeat(100_000), /^400 the JSON is nested more than 32 deep/],
    ['objects in arrays', '{"a":['.repeat(100), /^400 the JSON is nested more than 32 deep/],
    ['deep data', `{"inputs":[{"data":${'['.repeat(40)}${']'.repeat(40)}}]}`, /nested more than 32 deep/],
    ['brackets in texts', `{"id":"${'['.repeat(40)}\\"${'{'.repeat(40)}"}`, /^400 the request is wrong at inputs/],
    [
      'keys',
      `{${Array.from({ length: 100_001 }, (_, i) => `"${i}":0`).join(',')}}`,
      /^400 the JSON has more than 100000 keys/,
    ],
    ['empty inputs', `{"inputs":[${many('{}', 300)}]}`, /^400 the request is wrong at inputs: expected at most 256/],
    [
      'outputs',
      `{"inputs":[],"outputs":[${many('{}', 300)}]}`,
      /^400 the request is wrong at outputs: expected at most 256/,
    ],
    ['sizes', `{"inputs":[{"name":"x","datatype":"FP32","shape":[${many('-1', 17)}]}]}`, /shape: expected at most 16/],
    [
      'more than 8 MiB',
      ' '.repeat(2 ** 23 + 1),
      /^413 the body is larger than 8388608 bytes: send tensors as binary data/,
    ],
  ])('refuses too many: %s', async (_, body, message) => {
    expect(await infer(body)).toMatch(message);
  });

  it('refuses what unpacks to more than 8 MiB of JSON, and takes more as binary data', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    expect(await infer(gzipSync('['.repeat(2 ** 23 + 1)), gzip)).toMatch(/^413 the body is larger than 8388608 bytes/);
    const { body, headers } = binary({ x });
    const packed = gzipSync(Buffer.concat([body, Buffer.alloc(2 ** 23)]));
    expect(await infer(packed, { ...gzip, ...headers })).toMatch(
      /^400 the inputs name 16 bytes of binary data, received 8388624/,
    );
    const long = { 'inference-header-content-length': String(2 ** 23 + 1) };
    expect(await infer(Buffer.alloc(2 ** 23 + 2, ' '), long)).toMatch(
      /^413 more than 8388608 bytes besides binary data/,
    );
  });

  it('compares the number of values before there is memory for them', async () => {
    for (const shape of [
      [1_000_000, 28, 28, 1],
      [10_000_000, 28, 28, 1],
      [2 ** 50, 28, 28, 1],
    ]) {
      const request = { inputs: [{ name: 'input', datatype: 'FP32', shape, data: [1] }] };
      expect(await infer(request, {}, 'pixels')).toMatch(/^400 input input: expected data of \d+ values/);
      const nested = { inputs: [{ name: 'input', datatype: 'FP32', shape, data: [[[[1]]]] }] };
      expect(await infer(nested, {}, 'pixels')).toMatch(/^400 input input: expected data of \d+ values/);
    }
  });

  it('reads large JSON as it reads small', async () => {
    const data = [1, -2, 0.5, 3].map((value) => `${' '.repeat(20_000)}${value}`).join(',');
    const body = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[${data}]}],"id":"7"}`;
    const [large, small] = [
      await ask(server, '/v2/models/animals/infer', { body }),
      await ask(server, '/v2/models/animals/infer', { body: floats({ x }, { id: '7' }) }),
    ];
    expect(large.status).toBe(200);
    expect(large.json).toEqual(small.json);
    expect(await infer(body.replace('0.5', '"a"'))).toBe('400 input x: value 2 is no FP32, received "a"');
    const pixels = Array.from({ length: 8 * 784 }, (_, i) => i % 251);
    const raw = {
      inputs: Array.from({ length: 8 }, (_, i) =>
        Array.from({ length: 28 }, (__, row) =>
          Array.from({ length: 28 }, (___, at) => [pixels[784 * i + 28 * row + at]]),
        ),
      ),
    };
    const { json } = await ask(server, '/v1/pixels', { body: raw, headers: { 'content-type': 'application/json' } });
    const told = (json.predictions as { values: { score: number }[] }[]).flatMap(({ values }) =>
      values.map(({ score }) => score),
    );
    expect(told).toEqual(pixels);
  });

  it('takes small bodies for commands alone', async () => {
    const body = `{"ready":true${' '.repeat(2 ** 16)}}`;
    expect((await ask(server, '/v2/repository/index', { body })).status).toBe(413);
  });

  const call = (method: string, bytes: Uint8Array): Promise<string> =>
    new Promise((resolve) => {
      const same = (value: Buffer): Buffer => value;
      const done = (error: ServiceError | null): void =>
        resolve(error === null ? 'OK' : `${error.code} ${error.details}`);
      client.makeUnaryRequest(
        `/inference.GRPCInferenceService/${method}`,
        same,
        same,
        Buffer.from(bytes),
        new Metadata(),
        {},
        done,
      );
    });
  const { INVALID_ARGUMENT: wrong, RESOURCE_EXHAUSTED: large } = status;
  const tensor = (...fields: Uint8Array[]): Buffer => infers('animals', field(5, Buffer.concat(fields)));

  it.each<readonly [string, Buffer, string]>([
    [
      'empty tensors',
      infers('animals', Buffer.alloc(2 ** 21, Buffer.from([0x2a, 0]))),
      `${wrong} the message has more than 256 inputs`,
    ],
    [
      'parameters',
      infers('animals', Buffer.alloc(2 ** 21, Buffer.from([0x22, 0]))),
      `${wrong} the message has more than 256 parameters`,
    ],
    [
      'unknown fields',
      infers('animals', Buffer.alloc(2 ** 21, Buffer.from([0x78, 0]))),
      `${wrong} the message has more than 256 fields 15`,
    ],
    [
      'parameters of a tensor',
      tensor(Buffer.alloc(2 ** 21, Buffer.from([0x22, 0]))),
      `${wrong} the message has more than 256 parameters`,
    ],
    ['sizes', tensor(field(3, Buffer.alloc(2 ** 21, 1))), `${wrong} a shape of the message has more than 16 sizes`],
    [
      'bytes that unpack to more than 8 MiB',
      infers('animals', Buffer.alloc(2 ** 23)),
      `${large} Received message that decompresses to a size larger than 8388608`,
    ],
  ])('refuses too many over gRPC: %s', async (_, bytes, message) => {
    expect(await call('ModelInfer', bytes)).toBe(message);
  });

  it('reads small messages for all other calls alone, and says of bytes that they are no message', async () => {
    expect(await call('ServerLive', Buffer.alloc(2 ** 17))).toMatch(new RegExp(`^${large} `));
    expect(await call('RepositoryIndex', Buffer.alloc(2 ** 17))).toMatch(new RegExp(`^${large} `));
    expect(await call('ModelInfer', Buffer.from([0xff, 0xff]))).toMatch(
      new RegExp(`^${wrong} the message is no ModelInferRequest: `),
    );
    expect(await call('ModelMetadata', Buffer.from([0x0f]))).toMatch(
      new RegExp(`^${wrong} the message is no ModelMetadataRequest: `),
    );
  });

  it('reads large messages as it reads small ones', async () => {
    const values = field(5, field(6, Buffer.from(Float32Array.from({ length: 4 * 64 * 32 }, (_, i) => i).buffer)));
    const shape = field(3, Buffer.from([64, 4]));
    const head = Buffer.concat([field(1, Buffer.from('x')), field(2, Buffer.from('FP32')), shape]);
    expect(await call('ModelInfer', infers('animals', field(5, Buffer.concat([head, values]))))).toBe(
      `${wrong} input x: FP32 has 256 values in fp32_contents, received 8192`,
    );
  });
});

it('refuses an answer by its size before it is computed, and an open size', async () => {
  const files = { 'animals.onnx': classifier(), 'pixels.onnx': echo([28, 28, 1], {}), 'mean.onnx': centred() };
  const server = await serving(files, { maxJson: 8000, maxBody: 20_000, maxSize: 3 });
  const of = async (model: string, rows: number, sample: readonly number[], isBinary: boolean) => {
    const values = Buffer.alloc(4 * rows * sample.reduce((product, size) => product * size, 1));
    const { inputs } = (await ask(server, `/v2/models/${model}`)).json as { inputs: { name: string }[] };
    const parameters = { binary_data_size: values.length };
    const input = { name: inputs[0]!.name, datatype: 'FP32', shape: [rows, ...sample], parameters };
    const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: isBinary } }));
    const headers = { 'inference-header-content-length': String(head.length) };
    const { status: code, json } = await ask(server, `/v2/models/${model}/infer`, { body: Buffer.concat([head, values]), headers }); // prettier-ignore
    return `${code} ${String(json['error'])}`;
  };
  const pixels = [28, 28, 1];
  expect(await of('pixels', 1, pixels, false)).toBe('200 undefined');
  expect(await of('pixels', 2, pixels, true)).toMatch(/^200 /);
  expect(await of('pixels', 2, pixels, false)).toBe(
    '413 the answer of model pixels would have 1568 values as text, at most 1000: send fewer samples, or ask for binary data at /v2/models/pixels/infer (--max-json sets this limit)',
  );
  expect(await of('mean', 3, [2], false)).toBe('200 undefined');
  expect(await of('mean', 4, [2], false)).toBe(
    '413 input x of model mean has the open size 4, at most 3 (--max-size sets this limit)',
  );
  // A call has no more samples than an answer may have bytes.
  expect(server.host.model('pixels').maxBatch).toBe(6);
  await server.end();
});

const folder = temporaryFolder();

it('a stranger is refused over gRPC before any of the message has come', async () => {
  const tokenFile = path.join(folder(), 'tokens');
  await writeFile(tokenFile, '0123456789abcdef0123\n');
  const server = await serving({ 'animals.onnx': classifier() }, { grpcPort: 0, tokenFile });
  const session = connect(`http://127.0.0.1:${server.grpcPort}`);
  const code = await new Promise((resolve) => {
    const headers = {
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    // Headers alone: the stream stays open, and nothing follows.
    const stream = session.request(headers, { endStream: false });
    stream.on('response', (answer) => resolve(answer['grpc-status']));
  });
  expect(code).toBe(String(status.UNAUTHENTICATED));
  session.destroy();
  await server.end();
});

it('a stop answers what comes on open connections, and says on each that it was the last', async () => {
  const server = await serving({ 'animals.onnx': classifier() });
  const body = JSON.stringify(floats({ x }));
  const request = `POST /v2/models/animals/infer HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const sockets = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const socket = createConnection(server.port, '127.0.0.1');
      const state = { socket, said: '', error: '' };
      socket.on('data', (data) => (state.said += data.toString('latin1')));
      socket.on('error', ({ message }) => (state.error = message));
      socket.write(request);
      while (!state.said.includes('logits')) await new Promise((resolve) => setTimeout(resolve, 1));
      return state;
    }),
  );
  for (const state of sockets) state.said = '';
  // Connections that are idle now, and whose next request is on its way.
  const closed = server.close();
  expect(
    await new Promise<string>((resolve) =>
      createConnection(server.port, '127.0.0.1').on('error', ({ message }) => resolve(message)),
    ),
  ).toMatch(/ECONNREFUSED/);
  for (const { socket } of sockets) socket.write(request);
  await Promise.all(sockets.map(({ socket }) => new Promise((resolve) => socket.on('close', resolve))));
  expect(
    sockets.map(({ said, error }) => [/^HTTP\/1.1 (\d+)/.exec(said)?.[1], /connection: close/i.test(said), error]),
  ).toEqual(sockets.map(() => ['200', true, '']));
  await closed;
  await server.end();
});
