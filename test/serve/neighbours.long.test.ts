import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { ROOT } from '../support/built.ts';
import { Grammar } from './grammar.ts';
import { classified, classifier, echo } from './models.ts';
import { serving } from './server.ts';
import type { Served } from './server.ts';

/** Well-formed inferences, and malformed messages for each. `LIMBECK_REQUESTS` changes the first number. */
const WELL = Number(process.env.LIMBECK_REQUESTS ?? 10_000);
const MALFORMED = 10;
const AT_ONCE = 20;

const options = { keepCase: true, longs: Number, defaults: true, oneofs: true };
const definition = loadSync(path.join(ROOT, 'docs/inference.proto'), options);
interface Method {
  readonly path: string;
  readonly requestSerialize: (message: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Reply;
}
interface Reply {
  readonly id: string;
  readonly outputs: readonly { readonly contents: { readonly fp32_contents: readonly number[] } | null }[];
  readonly raw_output_contents: readonly Buffer[];
}
const service = definition['inference.GRPCInferenceService'] as unknown as {
  readonly ModelInfer: Method;
  readonly ModelStreamInfer: Pick<Method, 'path' | 'requestSerialize'> & {
    readonly responseDeserialize: (bytes: Buffer) => { readonly error_message: string; readonly infer_response: Reply };
  };
};
const same = (bytes: Buffer): Buffer => bytes;

let server: Served;
beforeAll(async () => {
  server = await serving({ 'animals.onnx': classifier(), 'pixels.onnx': echo([2, 2, 1], {}) }, { grpcPort: 0 });
});
afterAll(() => server.end());

const client = (): Client => new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());

/** Samples of a request, and the message with them: raw, or as typed numbers. */
function question(random: RandomStream, id: string): { readonly rows: readonly number[][]; readonly message: object } {
  const rows = Array.from({ length: 1 + random.below(3) }, () =>
    Array.from({ length: 4 }, () => Math.fround(random.normal())),
  );
  const isRaw = random.below(2) === 0;
  const input = { name: 'x', datatype: 'FP32', shape: [rows.length, 4] };
  const bytes = Buffer.from(Float32Array.from(rows.flat()).buffer);
  return {
    rows,
    message: isRaw
      ? { model_name: 'animals', id, inputs: [input], raw_input_contents: [bytes] }
      : { model_name: 'animals', id, inputs: [{ ...input, contents: { fp32_contents: rows.flat() } }] },
  };
}

/** True for the answer to these samples, and to no others. */
function isRight(reply: Reply, id: string, rows: readonly number[][]): boolean {
  const raw = reply.raw_output_contents[0];
  const found =
    raw === undefined
      ? (reply.outputs[0]?.contents?.fp32_contents ?? [])
      : Array.from({ length: raw.length / 4 }, (_, i) => raw.readFloatLE(4 * i));
  const expected = rows.flatMap((row) => classified(row));
  return (
    reply.id === id &&
    found.length === expected.length &&
    expected.every((value, i) => Math.abs(value - found[i]!) <= 1e-4 * Math.max(1, Math.abs(value)))
  );
}

it(`each of ${WELL} well-formed inferences among ${WELL * MALFORMED} malformed ones has its own answer`, async () => {
  const random = new RandomStream('neighbours');
  const grammar = new Grammar(new RandomStream('neighbours grammar'));
  // On the connection of those who ask well, and on another.
  const [own, other] = [client(), client()];
  const counts = { right: 0, wrong: 0, refused: 0, malformed: 0, refusedMalformed: 0 };
  const unary = (to: Client, bytes: Buffer): Promise<ServiceError | Buffer> =>
    new Promise((resolve) => {
      to.makeUnaryRequest(service.ModelInfer.path, same, same, bytes, new Metadata(), {}, (error, reply) =>
        resolve(error ?? reply!),
      );
    });
  const streams: ClientDuplexStream<Buffer, Buffer>[] = [];
  const waiting: ((reply: Buffer) => void)[][] = [];
  for (let i = 0; i < 2; i++) {
    const stream = own.makeBidiStreamRequest(service.ModelStreamInfer.path, same, same, new Metadata(), {});
    const queue: ((reply: Buffer) => void)[] = [];
    stream.on('data', (reply: Buffer) => queue.shift()!(reply));
    stream.on('error', () => undefined);
    streams.push(stream);
    waiting.push(queue);
  }
  const streamed = (i: number, bytes: Buffer): Promise<Buffer> =>
    new Promise((resolve) => {
      waiting[i]!.push(resolve);
      streams[i]!.write(bytes);
    });
  const well = async (n: number): Promise<void> => {
    const id = `request ${n}`;
    const { rows, message } = question(random, id);
    let reply: Reply | undefined;
    if (n % 2 === 0) {
      const found = await unary(own, service.ModelInfer.requestSerialize(message));
      if (found instanceof Uint8Array) reply = service.ModelInfer.responseDeserialize(found);
    } else {
      const found = await streamed((n >> 1) % 2, service.ModelStreamInfer.requestSerialize(message));
      const told = service.ModelStreamInfer.responseDeserialize(found);
      if (told.error_message === '') reply = told.infer_response;
    }
    if (reply === undefined) counts.refused++;
    else if (isRight(reply, id, rows)) counts.right++;
    else counts.wrong++;
  };
  const malformed = async (n: number): Promise<void> => {
    counts.malformed++;
    const bytes = grammar.grpc();
    // One in ten on the streams of those who ask well, whose errors answer one request alone.
    const isAnswered = n % 10 === 0 ? streamed(n % 2, bytes).then(() => true) : unary(n % 3 === 0 ? own : other, bytes).then((found) => found instanceof Uint8Array); // prettier-ignore
    if (!(await isAnswered)) counts.refusedMalformed++;
  };
  for (let n = 0; n < WELL; n += AT_ONCE) {
    const count = Math.min(AT_ONCE, WELL - n);
    await Promise.all([
      ...Array.from({ length: count }, (_, i) => well(n + i)),
      ...Array.from({ length: count * MALFORMED }, (_, i) => malformed(n * MALFORMED + i)),
    ]);
  }
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  expect({ ...counts, malformed: 0, refusedMalformed: 0 }).toEqual({ right: WELL, wrong: 0, refused: 0, malformed: 0, refusedMalformed: 0 }); // prettier-ignore
  expect(counts.malformed).toBe(WELL * MALFORMED);
  // Most of what the grammar draws is wrong at one place.
  expect(counts.refusedMalformed).toBeGreaterThan(counts.malformed / 4);
  expect(server.lines.filter((line) => /^(error|warn)/.test(line))).toEqual([]);
  streams.forEach((stream) => stream.end());
  own.close();
  other.close();
}, 1_800_000);
