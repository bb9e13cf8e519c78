import { request } from 'node:http';
import { servePage } from '../../../src/measure/devices/page-server.ts';
import type { DeviceRow } from '../../../src/measure/devices/device-rows.ts';
import type { PageServer } from '../../../src/measure/devices/page-server.ts';

const plan = {
  title: 'run <1>',
  models: [{ id: 'distilled', format: 'onnx' as const, url: 'models/0', settings: [] }],
  threads: [1],
  seconds: 1,
};
const files = [{ name: 'distilled', format: '.onnx', bytes: Uint8Array.of(1, 2, 3) }];

let received: readonly DeviceRow[] = [];
let server: PageServer;
beforeEach(async () => {
  received = [];
  server = await servePage({
    plan,
    files,
    onRows: (rows) => {
      received = rows;
      return Promise.resolve('thanks');
    },
  });
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** As a browser would send it, or as somebody who pretends to be one. */
function ask(place: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(place, server.url), { method, headers }, (response) => {
      let text = '';
      response.on('data', (data) => (text += String(data)));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const origin = () => new URL(server.url).origin;
const post = (body: unknown, headers: Record<string, string> = { origin: origin() }) =>
  ask('rows', { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

const row = { model: 'distilled', runtime: 'onnxruntime-web', batchSize: 2, threads: 1 };
const good = { device: ' My\nphone ', rows: [{ ...row, sessions: [[1, 2, 3], [4]] }], skipped: [] };

describe('the page that measures', () => {
  it('is served with what it needs, and with nothing else', async () => {
    const page = await ask('');
    expect(page.status).toBe(200);
    expect(page.body).toContain('run &#60;1&#62;');
    expect(page.headers).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'referrer-policy': 'no-referrer',
    });
    expect(JSON.parse((await ask('plan.json')).body)).toEqual(plan);
    expect((await ask('models/0')).body).toBe('\u0001\u0002\u0003');
    const litert = await ask('assets/litert/index.js');
    expect(litert.headers['content-type']).toContain('text/javascript');
    expect(litert.body).toContain('from "./wasm-utils.js"');
    expect((await ask('assets/ort/ort.wasm.bundle.min.mjs?threads=2')).status).toBe(200);
    for (const place of ['models/1', 'assets/ort/package.json', 'assets/toString', 'page/../../serve.js', 'x'])
      expect((await ask(place)).status).toBeGreaterThanOrEqual(403);
  });

  it('takes figures, makes rows of them and thanks', async () => {
    const { status, body } = await post(good);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      rows: [{ ...row, p50Ms: 3, p95Ms: expect.any(Number) as number }],
      message: 'thanks',
    });
    // Each session counts once: the median of 2 and 4.
    expect(received).toMatchObject([{ ...row, device: 'My phone', p50Ms: 3, sessions: 2, runs: 4 }]);
  });

  it('is not given to those without the token', async () => {
    for (const place of ['/', '/0123456789abcdef01234567/', `/0123456789abcdef01234567/plan.json`, '/favicon.ico']) {
      const { status, body } = await ask(place);
      expect(status).toBe(403);
      expect(body).toContain('wrong token');
    }
    expect(
      (await ask('/0123456789abcdef01234567/rows', { method: 'POST', headers: { origin: origin() } })).status,
    ).toBe(403);
  });

  it('refuses a message that is too large, announced or not', async () => {
    const large = 'x'.repeat(2 ** 20 + 1);
    const announced = await post('', { origin: origin(), 'content-length': String(large.length) });
    expect(announced.status).toBe(413);
    const chunked = await post(large, { origin: origin(), 'transfer-encoding': 'chunked' }).catch(() => ({
      status: 413,
    }));
    expect(chunked.status).toBe(413);
    expect(received).toEqual([]);
  });

  it('refuses what another page sends', async () => {
    for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, {}]) {
      expect((await post(good, headers as Record<string, string>)).status).toBe(403);
    }
    expect((await ask('plan.json', { headers: { origin: 'http://evil.example' } })).status).toBe(403);
    expect(received).toEqual([]);
  });

  it.each([
    ['no JSON', '{', /no JSON/],
    ['a model that it does not serve', { ...good, rows: [{ ...good.rows[0], model: 'other' }] }, /not served/],
    [
      'a time that is none',
      { ...good, rows: [{ ...good.rows[0], sessions: [[-1]] }] },
      /wrong at rows\.0\.sessions\.0\.0/,
    ],
    ['an unknown key', { ...good, extra: 1 }, /wrong/],
  ])('refuses %s', async (_name, message, expected) => {
    const { status, body } = await post(message);
    expect(status).toBe(400);
    expect(body).toMatch(expected);
    expect(received).toEqual([]);
  });

  it('has an address that a browser can open, of IPv6 too', async () => {
    const own = await servePage({ plan, files, host: '::1', onRows: () => Promise.resolve('') });
    try {
      expect(new URL(own.url).hostname).toBe('[::1]');
    } finally {
      await own.close();
    }
  });

  it('has no other actions', async () => {
    expect((await ask('', { method: 'DELETE' })).status).toBe(405);
  });
});
