import { Client, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import path from 'node:path';
import { RateLimit } from '../../../src/serve/http/rate.ts';
import { Refusal } from '../../../src/serve/refusal.ts';
import { ROOT } from '../../support/built.ts';
import { classifier } from '../models.ts';
import { ask, serving } from '../server.ts';

describe('a rate limit', () => {
  it('lets a second of requests through at once, then so many a second, for each client', () => {
    const limit = new RateLimit(4);
    const passes = (client: string, ms: number): boolean => {
      try {
        limit.take(client, ms);
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
        expect([(error as Refusal).status, (error as Refusal).retryAfterSeconds]).toEqual([429, 1]);
        return false;
      }
    };
    expect([0, 0, 0, 0, 0].map((ms) => passes('a', ms))).toEqual([true, true, true, true, false]);
    expect(passes('b', 0)).toBe(true);
    expect([100, 250, 260, 500].map((ms) => passes('a', ms))).toEqual([false, true, false, true]);
    expect(Array.from({ length: 5 }, () => passes('a', 60_000))).toEqual([true, true, true, true, false]);
  });

  it('below one a second says how long to wait', () => {
    const limit = new RateLimit(0.1);
    limit.take('a', 0);
    expect(() => limit.take('a', 1000)).toThrow(/more than 0.1 requests a second: ask again in 9 s/);
  });

  it('forgets those who have not asked for longest', () => {
    const limit = new RateLimit(0.001);
    for (let i = 0; i <= 10_000; i++) limit.take(String(i), i);
    expect(() => limit.take('1', 10_001)).toThrow(/ask again/);
    expect(() => limit.take('0', 10_001)).not.toThrow();
  });
});

it('a server answers 429 with the time to wait, over HTTP and gRPC, and says that it lives', async () => {
  const server = await serving({ 'animals.onnx': classifier() }, { rate: 2, grpcPort: 0 });
  const answers = await Promise.all([1, 2, 3, 4].map(() => ask(server, '/v2')));
  const refused = answers.filter((answer) => answer.status === 429);
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(2);
  expect(refused).toHaveLength(2);
  expect(refused[0]!.headers['retry-after']).toBe('1');
  expect(refused[0]!.json.error).toMatch(/more than 2 requests a second/);
  expect((await ask(server, '/v2/health/ready')).status).toBe(200);
  // The address is the same one.
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const definition = loadSync(path.join(ROOT, 'docs/inference.proto'), { keepCase: true });
  const service = definition['inference.GRPCInferenceService'] as never as Record<string, never>;
  const { requestSerialize, responseDeserialize } = service['ServerMetadata']!;
  const code = await new Promise<number | undefined>((resolve) => {
    const done = (error: ServiceError | null): void => resolve(error?.code);
    client.makeUnaryRequest(
      '/inference.GRPCInferenceService/ServerMetadata',
      requestSerialize,
      responseDeserialize,
      {},
      done,
    );
  });
  expect(code).toBe(status.RESOURCE_EXHAUSTED);
  client.close();
  await server.end();
});
