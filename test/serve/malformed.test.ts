import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { connect } from 'node:net';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { ROOT } from '../support/built.ts';
import { Grammar } from './grammar.ts';
import { classifier, echo } from './models.ts';
import { ask, binary, floats, serving } from './server.ts';
import type { Answer, Served } from './server.ts';

/** In all; `npm run test:malformed` sends more. */
const TIMES = Number(process.env.LIMBECK_REQUESTS ?? 300);

let server: Served;
let client: Client;
beforeAll(async () => {
  server = await serving(
    { 'animals.onnx': classifier(), 'pixels.onnx': echo([2, 2, 1], {}) },
    { grpcPort: 0, maxBody: 2 ** 20 },
  );
  client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.end();
});

const random = new RandomStream('malformed');
const grammar = new Grammar(new RandomStream('malformed grammar'));
const x = [[1, -2, 0.5, 3]];

/** Some bytes changed, taken out, doubled or put in. */
function mutated(bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let i = 0; i <= random.below(4); i++) {
    const at = random.below(result.length + 1);
    const size = random.below(8);
    const [before, after] = [result.subarray(0, at), result.subarray(Math.min(result.length, at + size))];
    const kind = random.below(5);
    const noise = Buffer.from(Array.from({ length: size }, () => random.below(256)));
    const words = ['null', '-1', '1e400', '[[', '{"', '9007199254740993', '"', '\u0000', '}', 'true'];
    const word = Buffer.from(words[random.below(words.length)]!);
    const middle = [noise, Buffer.alloc(0), word, result.subarray(at, at + size), Buffer.concat([word, noise])][kind]!;
    result = Buffer.concat([before, middle, kind === 3 ? result.subarray(at) : after]);
  }
  return result;
}

const options = { keepCase: true, longs: Number, defaults: true };
const definition = loadSync(path.join(ROOT, 'docs/inference.proto'), options);
const service = definition['inference.GRPCInferenceService'] as unknown as {
  ModelInfer: { path: string; requestSerialize: (message: object) => Buffer };
};
const message = service.ModelInfer.requestSerialize({
  ...{ model_name: 'animals', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }] },
  raw_input_contents: [binary({ x }).body.subarray(-16)],
});

/** The code of gRPC, and what is said. */
function call(bytes: Buffer): Promise<readonly [code: number, details: string]> {
  return new Promise((resolve) => {
    const same = (value: Buffer): Buffer => value;
    const done = (error: ServiceError | null): void => resolve([error?.code ?? status.OK, error?.details ?? '']);
    client.makeUnaryRequest(service.ModelInfer.path, same, same, bytes, new Metadata(), {}, done);
  });
}

/** What a server says to bytes that need not be HTTP; '' where it hangs up. */
function raw(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
}

describe(`${TIMES} malformed requests`, () => {
  it('are refused as what they are, and the server lives on', async () => {
    const place = '/v2/models/animals/infer';
    const json = Buffer.from(
      JSON.stringify(floats({ x }, { outputs: [{ name: 'logits' }], parameters: { priority: 1 } })),
    );
    const bytes = binary({ x });
    const http = Buffer.from(`POST ${place} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${json.length}\r\n\r\n`);
    const answers: Record<string, number> = {};
    const count = (what: string): void => void (answers[what] = (answers[what] ?? 0) + 1);
    // Answers that a parser gives, of JSON, HTTP or protobuf; all others are of what handles a request.
    let parsers = 0;
    const judged = async (question: Promise<Answer>): Promise<void> => {
      const { status: code, json: told } = await question;
      if (/is no JSON|no JSON object/.test(String(told.error))) parsers++;
      count(`http ${code}`);
    };
    const called = async (bytesOf: Buffer): Promise<void> => {
      const [code, details] = await call(bytesOf);
      if (/is no ModelInferRequest/.test(details)) parsers++;
      count(`grpc ${code}`);
    };
    const drawn = (): Promise<void> => {
      const { place: where, ...question } = grammar.http();
      return judged(ask(server, where, question));
    };
    const kinds = [
      drawn,
      () => called(grammar.grpc()),
      drawn,
      () => called(grammar.grpc()),
      drawn,
      () => called(grammar.grpc()),
      drawn,
      () => judged(ask(server, place, { body: mutated(json) })),
      () => judged(ask(server, place, { ...bytes, body: mutated(bytes.body) })),
      async () => {
        const length = String(random.below(200));
        const headers = { 'inference-header-content-length': length };
        await judged(ask(server, place, { body: bytes.body, headers }));
      },
      () => called(mutated(message)),
      async () => {
        const code = /^HTTP\/1\.1 (\d+)/.exec(await raw(mutated(Buffer.concat([http, json]))))?.[1] ?? 'closed';
        if (/400|closed/.test(code)) parsers++;
        count(`raw ${code}`);
      },
    ];
    for (let done = 0; done < TIMES; done += 50) {
      await Promise.all(Array.from({ length: Math.min(50, TIMES - done) }, (_, i) => kinds[i % kinds.length]!()));
    }
    const wrong = Object.keys(answers).filter(
      (what) => !/^(http|raw) (200|4\d\d)$|^raw closed$|^grpc (0|3|5)$/.test(what),
    );
    expect(wrong).toEqual([]);
    expect(server.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    const numberOf = (which: RegExp): number =>
      Object.entries(answers).reduce((sum, [what, n]) => sum + (which.test(what) ? n : 0), 0);
    if (process.env.LIMBECK_REQUESTS !== undefined)
      process.stdout.write(`${TIMES - parsers} of ${TIMES} came past a parser: ${JSON.stringify(answers)}\n`);
    expect(TIMES - parsers).toBeGreaterThan(TIMES / 2);
    expect(TIMES - parsers - numberOf(/ 200$|^grpc 0$/)).toBeGreaterThan(TIMES / 4);
    expect(server.host.pool.deaths).toBe(0);
    expect((await ask(server, place, { body: floats({ x }) })).status).toBe(200);
    expect(server.host.pending).toBe(0);
  });
});
