import { credentials, loadPackageDefinition, Metadata, status } from '@grpc/grpc-js';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { connect } from 'node:http2';
import path from 'node:path';
import { ROOT } from '../support/built.ts';
import { classified, classifier, sumAndDifference } from './models.ts';
import { serving } from './server.ts';
import type { Served } from './server.ts';

type Reply = Record<string, unknown>;
type Calls = Record<
  string,
  (
    request: object,
    metadata: Metadata,
    options: object,
    done: (error: ServiceError | null, reply: Reply) => void,
  ) => void
>;
type Duplex = { write(message: object): void; end(): void; on(event: string, listener: (reply: Reply) => void): void };

let server: Served;
let client: Client;
beforeAll(async () => {
  server = await serving({ 'animals.onnx': classifier(), 'two.onnx': sumAndDifference() }, { grpcPort: 0 });
  const options = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
  const definition = loadPackageDefinition(await load(path.join(ROOT, 'docs/inference.proto'), options));
  const { GRPCInferenceService: Service } = definition.inference as unknown as {
    GRPCInferenceService: new (address: string, c: unknown) => Client;
  };
  client = new Service(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.end();
});

function call(name: string, request: object = {}, options: object = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    (client as unknown as Calls)[name]!(request, new Metadata(), options, (error, reply) =>
      error ? reject(error) : resolve(reply),
    );
  });
}

const x = [1, -2, 0.5, 3];
const input = { name: 'x', datatype: 'FP32', shape: [1, 4] };
const raw = Buffer.from(Float32Array.from(x).buffer);
const good = { model_name: 'animals', id: '7', inputs: [input], raw_input_contents: [raw] };

function expectNear(actual: Iterable<number>, expected: readonly number[]): void {
  [...actual].forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
}

describe('the protocol over gRPC', () => {
  it('says what the server and its models are', async () => {
    expect(await call('ServerLive')).toEqual({ live: true });
    expect(await call('ServerReady')).toEqual({ ready: true });
    expect(await call('ModelReady', { name: 'animals' })).toEqual({ ready: true });
    expect(await call('ServerMetadata')).toMatchObject({ name: 'limbeck', version: '1.2.3' });
    expect(await call('ModelMetadata', { name: 'animals', version: '1' })).toMatchObject({
      ...{ name: 'animals', versions: ['1'], inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] },
    });
    expect(await call('ModelConfig', { name: 'animals' })).toMatchObject({
      config: { max_batch_size: 64, input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }] },
    });
  });

  it('answers bytes with bytes and numbers with numbers', async () => {
    const reply = await call('ModelInfer', good);
    expect(reply).toMatchObject({ model_name: 'animals', model_version: '1', id: '7' });
    expect(reply.outputs).toMatchObject([{ name: 'logits', datatype: 'FP32', shape: [1, 3], contents: null }]);
    const [bytes] = reply.raw_output_contents as Buffer[];
    expectNear(new Float32Array(new Uint8Array(bytes!).buffer), classified(x));
    const typed = { ...good, inputs: [{ ...input, contents: { fp32_contents: x } }], raw_input_contents: [] };
    const [output] = (await call('ModelInfer', typed)).outputs as { contents: { fp32_contents: number[] } }[];
    expectNear(output!.contents.fp32_contents, classified(x));
  });

  it('counts, lists and names classes', async () => {
    const outputs = [{ name: 'logits', parameters: { classification: { int64_param: 1 } } }];
    const reply = await call('ModelInfer', { ...good, outputs });
    const [bytes] = reply.raw_output_contents as Buffer[];
    expect(bytes!.toString('utf8', 4)).toMatch(/^-?\d+\.\d{6}:\d:(cat|dog|hen)$/);
    const { model_stats } = await call('ModelStatistics', { name: 'animals' });
    expect((model_stats as { inference_count: number }[])[0]!.inference_count).toBeGreaterThan(0);
    expect((await call('RepositoryIndex')).models).toMatchObject([
      { name: 'animals', state: 'READY' },
      { name: 'two', state: 'READY' },
    ]);
  });

  it('answers a stream in its order, errors among them', async () => {
    const stream = (client as unknown as Record<string, () => Duplex>).ModelStreamInfer!.call(client);
    const replies: { error_message: string; infer_response: { id: string } }[] = [];
    const ended = new Promise<void>((resolve) => stream.on('end', () => resolve()));
    stream.on('data', (reply) => replies.push(reply as never));
    for (let i = 0; i < 200; i++) stream.write({ ...good, id: String(i), ...(i === 3 && { model_name: 'none' }) });
    stream.end();
    await ended;
    expect(replies.map(({ infer_response }) => infer_response.id)).toEqual(replies.map((_, i) => String(i)));
    expect(replies.map(({ error_message }) => error_message).filter((text) => text !== '')).toEqual([
      'there is no model none',
    ]);
    expect(replies).toHaveLength(200);
  });

  it.each([
    ['an unknown model', { ...good, model_name: 'none' }, status.NOT_FOUND, /no model none/],
    ['another version', { ...good, model_version: '2' }, status.NOT_FOUND, /has version 1, not 2/],
    [
      'too few bytes',
      { ...good, raw_input_contents: [raw.subarray(4)] },
      status.INVALID_ARGUMENT,
      /takes 16 bytes, received 12/,
    ],
    ['bytes without inputs', { ...good, inputs: [] }, status.INVALID_ARGUMENT, /0 inputs and 1 raw/],
    [
      'numbers and bytes',
      { ...good, inputs: [{ ...input, contents: { fp32_contents: x } }] },
      status.INVALID_ARGUMENT,
      /besides raw/,
    ],
    [
      'numbers in another field',
      { ...good, inputs: [{ ...input, contents: { int_contents: [1] } }], raw_input_contents: [] },
      status.INVALID_ARGUMENT,
      /fp32_contents, received int_contents/,
    ],
    ['a parameter without a value', { ...good, parameters: { priority: {} } }, status.INVALID_ARGUMENT, /has no value/],
    [
      'a size beyond numbers',
      { ...good, inputs: [{ ...input, shape: [2 ** 60, 4] }] },
      status.INVALID_ARGUMENT,
      /up to 64 samples|shape|takes/,
    ],
  ])('refuses %s', async (_name, request, code, message) => {
    const error = await call('ModelInfer', request).catch((reason: unknown) => reason as ServiceError);
    expect(error).toMatchObject({ code });
    expect((error as ServiceError).details).toMatch(message);
  });

  it('reads no more of a stream whose client does not read its answers', async () => {
    const session = connect(`http://127.0.0.1:${server.grpcPort}`, { settings: { initialWindowSize: 0 } });
    const sent = session.request({
      ...{ ':method': 'POST', ':path': '/inference.GRPCInferenceService/ModelStreamInfer' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    const [block, blocks] = [Buffer.alloc(5000), 100];
    let taken = 0;
    const next = (): void => {
      if (taken === blocks) return;
      sent.write(block, () => {
        taken++;
        next();
      });
    };
    next();
    for (let before = -1; before !== taken || taken === 0;) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    session.destroy();
    expect(taken).toBeLessThan(blocks / 2);
  });

  it('loads and unloads', async () => {
    await call('RepositoryModelUnload', { model_name: 'two' });
    expect(await call('ModelReady', { name: 'two' })).toEqual({ ready: false });
    await expect(call('ModelMetadata', { name: 'two' })).rejects.toMatchObject({ code: status.NOT_FOUND });
    await call('RepositoryModelLoad', { model_name: 'two' });
    expect(await call('ModelReady', { name: 'two' })).toEqual({ ready: true });
    await expect(call('RepositoryModelLoad', { model_name: '../two' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });
});
