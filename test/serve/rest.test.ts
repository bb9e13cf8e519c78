import { gunzipSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Validator } from '@seriousme/openapi-schema-validator';
import { serverObservers } from '../../src/serve/observer-registry.ts';
import { ROOT } from '../support/built.ts';
import { centred, classified, classifier, sumAndDifference } from './models.ts';
import { ask, binary, floats, serving } from './server.ts';
import type { Served } from './server.ts';

let server: Served;
beforeAll(async () => {
  server = await serving({
    'animals.onnx': classifier(),
    'two.onnx': sumAndDifference(),
    'centred.onnx': centred(),
    'one.onnx': classifier({ batch: 1 }),
    'four.onnx': classifier({ batch: 4 }),
  });
});
afterAll(() => server.end());

const x = [
  [1, -2, 0.5, 3],
  [0, 1, 0, -1],
  [2, 2, -1, 0.25],
];

const infer = (model: string, body: object | string | Uint8Array, headers = {}) =>
  ask(server, `/v2/models/${model}/infer`, { body, headers });

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly items?: { readonly anyOf?: readonly Schema[] };
}

interface Described {
  readonly post: {
    readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  };
}

/** Values of an output of a JSON answer. */
function values({ json }: { json: Record<string, unknown> }, output = 0): number[] {
  return (json.outputs as { data: number[] }[])[output]!.data;
}

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 4));
}

describe('the protocol over HTTP', () => {
  it('says what the server and its models are', async () => {
    expect((await ask(server, '/v2')).json).toMatchObject({ name: 'limbeck', version: '1.2.3' });
    expect((await ask(server, '/v2/health/live')).status).toBe(200);
    expect((await ask(server, '/v2/health/ready')).status).toBe(200);
    expect((await ask(server, '/v2/models/animals/ready')).status).toBe(200);
    expect((await ask(server, '/v2/models/animals')).json).toEqual({
      ...{ name: 'animals', versions: ['1'], platform: 'onnxruntime_onnx' },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 3] }],
    });
    // A file of one sample is asked like any other.
    expect((await ask(server, '/v2/models/one/versions/1')).json).toMatchObject({ inputs: [{ shape: [-1, 4] }] });
    expect((await ask(server, '/v2/models/animals/config')).json).toMatchObject({
      ...{ max_batch_size: 64, input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }] },
      dynamic_batching: { default_queue_policy: { timeout_action: 'REJECT', max_queue_size: 1024 } },
      instance_group: [{ kind: 'KIND_CPU', count: 1 }],
    });
    expect((await ask(server, '/v2/models/centred/config')).json).toMatchObject({ max_batch_size: 0 });
    expect(server.lines).toContain(
      'warn: centred: not batched: the answer to a sample depends on the samples beside it',
    );
  });

  it('describes its addresses, and has them', async () => {
    const described = (await ask(server, '/openapi.json')).json;
    const { paths } = described as { paths: Record<string, Record<string, unknown>> };
    expect(Object.keys(paths).length).toBeGreaterThan(12);
    // By the official schema of OpenAPI 3.1.
    expect(await new Validator().validate(described)).toEqual({ valid: true });
    expect(await new Validator().validate({ ...described, info: {} })).toMatchObject({ valid: false });
    for (const [place, methods] of Object.entries(paths)) {
      if (/load$/.test(place)) continue;
      for (const method of ['get', 'post'].filter((name) => name in methods)) {
        const body = method === 'post' ? {} : undefined;
        const { status } = await ask(server, place.replace('{model}', 'animals'), { body });
        // An empty request is wrong; an address that is not there would be 404, another method 405.
        expect(`${place} ${status}`).toBe(
          `${place} ${/infer$|^\/v1\/[^/]+$/.test(place) && method === 'post' ? 400 : 200}`,
        );
      }
    }
  });

  it('describes the bodies that it takes as it checks them', async () => {
    const { paths } = (await ask(server, '/openapi.json')).json as { paths: Record<string, Described> };
    const bodyOf = (place: string) => paths[place]!.post.requestBody.content['application/json'].schema;
    const body = bodyOf('/v2/models/animals/infer');
    expect(body).toMatchObject({ required: ['inputs'], additionalProperties: false });
    const [input] = floats({ x }).inputs;
    const asked = { name: 'probabilities' };
    const samples = { inputs: [{ ...input, parameters: {} }], outputs: [], id: 'a', parameters: {}, model_name: '', model_version: '1' }; // prettier-ignore
    expect(Object.keys(body.properties).sort()).toEqual(Object.keys(samples).sort());
    const tensor = body.properties['inputs']!.items!.anyOf![0]!;
    expect(Object.keys(tensor.properties).sort()).toEqual(Object.keys(samples.inputs[0]!).sort());
    expect(tensor.properties).toMatchObject({ name: { const: 'x' }, parameters: { maxProperties: 256 } });
    expect((await infer('animals', samples)).status).toBe(200);
    expect((await infer('animals', { ...samples, other: 1 })).status).toBe(400);
    expect((await infer('animals', { inputs: [{ ...input, other: 1 }] })).status).toBe(400);
    expect((await infer('animals', { ...samples, outputs: [{ ...asked, other: 1 }] })).status).toBe(400);
    expect(bodyOf('/v2/repository/index')).toMatchObject({ properties: { ready: { type: 'boolean' } } });
    expect((await ask(server, '/v2/repository/index', { body: { ready: 'yes' } })).json['error']).toMatch(
      /^the body is wrong at ready: .*expected boolean/,
    );
  });

  it('answers HEAD with the headers of GET', async () => {
    const [get, head] = await Promise.all(['GET', 'HEAD'].map((method) => ask(server, '/v1/animals', { method })));
    const { 'content-type': type, 'content-length': length } = get!.headers;
    expect(Number(length)).toBe(get!.body.length);
    expect(head!.headers).toMatchObject({ 'content-type': type, 'content-length': length });
    expect([head!.status, head!.body.length]).toEqual([200, 0]);
  });

  it('answers JSON, nested or flat, with the id of the request', async () => {
    const nested = await infer('animals', floats({ x }, { id: 'a"1', model_name: 'animals', model_version: '' }));
    expect(nested.status).toBe(200);
    expect(nested.json).toMatchObject({ model_name: 'animals', model_version: '1', id: 'a"1' });
    expectNear(
      values(nested),
      x.flatMap((row) => classified(row)),
    );
    const [input] = floats({ x }).inputs;
    const flat = await infer('animals', { inputs: [{ ...input, data: x.flat() }] });
    expect(values(flat)).toEqual(values(nested));
  });

  it('takes and gives tensors as bytes', async () => {
    const a = [[1, 2]];
    const b = [[10, 20]];
    const { body, headers } = binary(
      { b, a },
      { outputs: [{ name: 'difference', parameters: { binary_data: true } }, { name: 'sum' }] },
    );
    const answer = await infer('two', body, headers);
    const length = Number(answer.headers['inference-header-content-length']);
    const head = JSON.parse(answer.body.toString('utf8', 0, length)) as object;
    expect(head).toMatchObject({
      outputs: [
        { name: 'difference', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } },
        { name: 'sum', data: [11, 22] },
      ],
    });
    expect([...new Float32Array(new Uint8Array(answer.body.subarray(length)).buffer)]).toEqual([-9, -18]);
    const all = binary({ a, b }, { parameters: { binary_data_output: true } });
    const both = await infer('two', all.body, all.headers);
    expect(both.body.length - Number(both.headers['inference-header-content-length'])).toBe(16);
  });

  it('takes packed bodies', async () => {
    const body = gzipSync(JSON.stringify(floats({ x })));
    expect((await infer('animals', body, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect((await infer('animals', body, { 'content-encoding': 'br' })).status).toBe(415);
    expect((await infer('animals', 'no gzip', { 'content-encoding': 'gzip' })).status).toBe(400);
  });

  it('names classes', async () => {
    const outputs = [{ name: 'logits', parameters: { classification: 2 } }];
    const { json } = await infer('animals', floats({ x: [x[0]!] }, { outputs }));
    const logits = classified(x[0]!);
    const best = logits.indexOf(Math.max(...logits));
    const [first, second] = (json.outputs as { datatype: string; shape: number[]; data: string[] }[])[0]!.data;
    expect(first).toBe(`${logits[best]!.toFixed(6)}:${best}:${['cat', 'dog', 'hen'][best]}`);
    expect(second).toMatch(/^-?\d+\.\d{6}:\d:(cat|dog|hen)$/);
  });

  it('runs files of a fixed batch on any number of samples', async () => {
    const expected = values(await infer('animals', floats({ x })));
    expectNear(values(await infer('one', floats({ x }))), expected);
    expectNear(values(await infer('four', floats({ x }))), expected);
    const five = [...x, ...x].slice(0, 5);
    expectNear(
      values(await infer('four', floats({ x: five }))),
      five.flatMap((row) => classified(row)),
    );
  });

  it('runs alone what would change others', async () => {
    const answers = await Promise.all(x.map((row) => infer('centred', floats({ x: [row.slice(0, 2)] }))));
    for (const answer of answers) expect(values(answer)).toEqual([0, 0]);
    // What a client sends as one tensor is run as one.
    expect(
      values(
        await infer(
          'centred',
          floats({
            x: [
              [1, 2],
              [3, 6],
            ],
          }),
        ),
      ),
    ).toEqual([-1, -2, 1, 2]);
  });

  it('counts as Triton does', async () => {
    await infer('two', floats({ a: [[1, 2]], b: [[1, 2]] }));
    const { body, headers } = await ask(server, '/metrics');
    expect(headers['content-type']).toContain('text/plain');
    const text = body.toString('utf8');
    for (const name of ['request_success', 'count', 'exec_count', 'request_duration_us', 'compute_infer_duration_us']) {
      const [, value] = new RegExp(`^nv_inference_${name}\\{model="two",version="1"\\} (\\d+)$`, 'm').exec(text) ?? [];
      expect(Number(value)).toBeGreaterThan(0);
    }
    const dashboard = await readFile(path.join(ROOT, 'docs/grafana-serving.json'), 'utf8');
    const { panels } = JSON.parse(dashboard) as { panels: { targets: { expr: string }[] }[] };
    const asked = panels.flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => expr.match(/\b[a-z]+_[a-z_0-9]+\b/g) ?? []),
    );
    const names = [...new Set(asked)].filter((name) => /^(limbeck|nv|process|nodejs)_/.test(name));
    expect(names.length).toBeGreaterThan(15);
    // Of these there is nothing to say here.
    const observers = ['drift', 'shadow'];
    const isQuiet = (name: string): boolean => observers.some((one) => name.includes(`_${one}_`));
    const gone = observers.filter((one) => !serverObservers.names().includes(one));
    const found = (name: string): boolean =>
      new RegExp(isQuiet(name) ? `^# TYPE ${name} ` : `^${name}[{ ]`, 'm').test(text);
    expect(names.filter((name) => !found(name) && !gone.some((one) => name.includes(`_${one}_`)))).toEqual([]);
    expect(text).toMatch(/^limbeck_serve_stage_seconds_count\{model="two",stage="queue"\} [1-9]/m);
    expect(text).toMatch(/^limbeck_serve_worker_memory_bytes\{pid="\d+"\} \d{7,}$/m);
  });

  it('sends metrics compressed to scrapers that take it', async () => {
    const of = (encoding: string) => ask(server, '/metrics', { headers: { 'accept-encoding': encoding } });
    const { headers, body } = await of('deflate, gzip;q=0.5');
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', 'content-length': String(body.length) });
    expect(gunzipSync(body).toString('utf8')).toMatch(/^nv_inference_count\{model="two"/m);
    expect((await of('deflate, gzip;q=0')).headers['content-encoding']).toBeUndefined();
  });
});

describe('what is wrong with a request', () => {
  const good = floats({ x });
  const [input] = good.inputs;

  it.each([
    ['no JSON', '{', 400, /no JSON/],
    ['another JSON', '[]', 400, /wrong at its top/],
    ['no inputs', {}, 400, /wrong at inputs/],
    ['an input that is missing', { inputs: [] }, 400, /input x of model animals is missing/],
    ['an unknown input', { inputs: [input, { ...input, name: 'y' }] }, 400, /has no input y: its inputs are x/],
    ['an input twice', { inputs: [input, input] }, 400, /twice/],
    ['another type', { inputs: [{ ...input, datatype: 'INT64' }] }, 400, /is FP32, received INT64/],
    ['another shape', { inputs: [{ ...input, shape: [3, 5] }] }, 400, /has the shape \[-1, 4\], received \[3, 5\]/],
    ['no samples', { inputs: [{ ...input, shape: [0, 4], data: [] }] }, 400, /received \[0, 4\]/],
    ['a size that is none', { inputs: [{ ...input, shape: [-1, 4] }] }, 400, /wrong at inputs.0.shape.0/],
    [
      'too many samples',
      { inputs: [{ ...input, shape: [65, 4], data: Array.from({ length: 260 }, () => 0) }] },
      400,
      /up to 64/,
    ],
    ['too little data', { inputs: [{ ...input, data: [1, 2] }] }, 400, /expected data of 12 values/],
    [
      'data of another nesting',
      {
        inputs: [
          {
            ...input,
            data: [
              [1, 2, 3, 4, 5, 6],
              [1, 2, 3, 4, 5, 6],
            ],
          },
        ],
      },
      400,
      /nested/,
    ],
    ['a text for a number', { inputs: [{ ...input, shape: [1, 4], data: [1, 2, '3', 4] }] }, 400, /value 2 is no FP32/],
    [
      'a number beyond float32',
      { inputs: [{ ...input, shape: [1, 4], data: [1, 2, 1e39, 4] }] },
      400,
      /value 2 is no FP32/,
    ],
    ['null', { inputs: [{ ...input, shape: [1, 4], data: [1, 2, null, 4] }] }, 400, /received null/],
    ['an unknown output', { ...good, outputs: [{ name: 'z' }] }, 400, /has no output z: its outputs are logits/],
    ['a misspelt key', { ...good, output: [{ name: 'logits' }] }, 400, /wrong at its top: .*"output"/],
    ['a misspelt key of an input', { inputs: [{ ...input, dtype: 'FP32' }] }, 400, /wrong at inputs.0: .*"dtype"/],
    ["another model's name", { ...good, model_name: 'two' }, 400, /model_name is two, and the address is of animals/],
    ['another version', { ...good, model_version: '2' }, 400, /model_version is 2, and the address is of 1/],
    ['a sequence', { ...good, parameters: { sequence_id: 7 } }, 400, /keep no state/],
    ['shared memory', { inputs: [{ ...input, parameters: { shared_memory_region: 'a' } }] }, 400, /shared memory/],
    [
      'a priority that is none',
      { ...good, parameters: { priority: 2 } },
      400,
      /priority: expected at most 1, received 2/,
    ],
  ])('%s', async (_name, body, status, message) => {
    const answer = await infer('animals', body);
    expect(answer.json.error).toMatch(message);
    expect(answer.status).toBe(status);
  });

  it('a body of a repository with a key that is not read', async () => {
    const index = await ask(server, '/v2/repository/index', { body: { redy: true } });
    expect([index.status, index.json.error]).toEqual([400, 'unknown key "redy" in the body; ready is read']);
    const load = await ask(server, '/v2/repository/models/animals/load', { body: { parametres: {} } });
    expect([load.status, load.json.error]).toEqual([400, 'unknown key "parametres" in the body; parameters is read']);
  });

  it('two inputs of different batches', async () => {
    const { json } = await infer(
      'two',
      floats({
        a: [[1, 2]],
        b: [
          [1, 2],
          [3, 4],
        ],
      }),
    );
    expect(json.error).toMatch(/input b has 2 samples, and input a has 1/);
  });

  it.each([
    ['a size that is not that of the tensor', 8, '', /takes 16 bytes, received 8/],
    ['bytes that nobody names', 16, 'more', /name 16 bytes of binary data, received 20/],
    ['a header that is too long', 16, undefined, /the body has/],
  ])('bytes: %s', async (_name, size, more, message) => {
    const { body } = binary({ x: [x[0]!] });
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: size } }],
      }),
    );
    const data = Buffer.concat([
      head,
      body.subarray(body.length - 16, body.length - 16 + size),
      Buffer.from(more ?? ''),
    ]);
    const length = more === undefined ? 1e6 : head.length;
    const answer = await infer('animals', data, { 'inference-header-content-length': String(length) });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatch(message);
    expect((await infer('animals', data, { 'inference-header-content-length': '-1' })).status).toBe(400);
  });

  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/app/page/html.js', 404],
    ['GET', '/app/..%2f..%2fpackage.json', 404],
    ['POST', '/', 405],
    ['GET', '/v1/animals/other', 404],
    ['GET', '/v2/models/none', 404],
    ['GET', '/v2/models/animals/versions/2', 404],
    ['GET', '/v2/models/animals/versions', 404],
    ['GET', '/v2/models/animals/other', 404],
    ['GET', '/v2/models/animals/infer', 405],
    ['POST', '/v2/models/animals', 405],
    ['GET', '/v2/models/..%2f..%2fetc%2fpasswd', 404],
    ['GET', '/v2/%zz', 400],
    ['GET', '/v2/health/other', 404],
    ['GET', '/v2/repository/index', 405],
    ['DELETE', '/v2', 405],
    ['GET', '/v1/animals?unknown=1', 400],
    ['GET', '/v1?x', 400],
    ['GET', '/v2/models/animals?x=1', 400],
    ['GET', '/v2/health/live?from=probe', 200],
  ])('%s %s is %d', async (method, place, status) => {
    expect((await ask(server, place, { method })).status).toBe(status);
  });
});
