import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { classifier } from './models.ts';
import { ask, floats, serving } from './server.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

/** A collector: what is sent to it, and its address. */
async function collector() {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as {
        resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
      };
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { spans, url: `http://127.0.0.1:${port}/v1/traces`, close: () => server.close() };
}

const infer = { body: floats({ x: [[1, 2, 3, 4]] }) };
const TRACE = '0af7651916cd43dd8448eb211c80319c';

it('a request with a trace is a span of it, with its stages below, one after another', async () => {
  const { spans, url, close } = await collector();
  const server = await serving({ 'animals.onnx': classifier() }, { traces: { url, share: 0 } });
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
  const before = BigInt(Date.now() - 1000) * 1_000_000n;
  expect((await ask(server, '/v2/models/animals/infer', { ...infer, headers })).status).toBe(200);
  // Not sampled by the one who asks, and by nobody else.
  const unsampled = { traceparent: `00-${TRACE}-b7ad6b7169203331-00` };
  await ask(server, '/v2/models/animals/infer', { ...infer, headers: unsampled });
  await ask(server, '/v2/models/animals/infer', infer);
  await server.end();
  close();
  expect(spans.map(({ name }) => name)).toEqual(['POST /v2/models/animals/infer', 'queue', 'input', 'infer', 'output']);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  const [request, ...stages] = spans;
  expect(request).toMatchObject({ parentSpanId: 'b7ad6b7169203331', kind: 2 });
  expect(request!.attributes).toContainEqual({ key: 'http.response.status_code', value: { intValue: '200' } });
  let at = BigInt(request!.startTimeUnixNano);
  expect(at).toBeGreaterThan(before);
  for (const { parentSpanId, startTimeUnixNano, endTimeUnixNano } of stages) {
    expect(parentSpanId).toBe(request!.spanId);
    expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(at - 1000n);
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
    at = BigInt(endTimeUnixNano);
  }
  expect(BigInt(request!.endTimeUnixNano)).toBeGreaterThanOrEqual(at - 1000n);
});

it('a share of the others begins a trace, and a collector that is gone is told of once', async () => {
  const { spans, url, close } = await collector();
  const server = await serving({ 'animals.onnx': classifier() }, { traces: { url, share: 1 } });
  await Promise.all([1, 2, 3].map(() => ask(server, '/v2')));
  await server.end();
  close();
  expect(spans).toHaveLength(3);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
  expect(
    spans.every(
      ({ traceId, spanId, parentSpanId }) =>
        /^[0-9a-f]{32}$/.test(traceId) && /^[0-9a-f]{16}$/.test(spanId) && parentSpanId === undefined,
    ),
  ).toBe(true);

  const alone = await serving({ 'animals.onnx': classifier() }, { traces: { url, share: 1 } });
  expect((await ask(alone, '/v2')).status).toBe(200);
  await alone.end();
  expect(alone.lines.filter((line) => line.includes(`traces cannot be sent to ${url}`))).toHaveLength(1);
});
