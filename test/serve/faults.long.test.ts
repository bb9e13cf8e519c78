import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../support/folder.ts';
import { classified, classifier } from './models.ts';
import { ask, floats, serving } from './server.ts';
import type { Answer, Served } from './server.ts';

const x = [1, -2, 0.5, 3];
const question = { body: floats({ x: [x] }) };

/** Asks on `connections` connections until told to stop; all answers. */
function load(target: Served, connections: number) {
  let stopped = false;
  const answers: Answer[] = [];
  const loops = Array.from({ length: connections }, async () => {
    while (!stopped) answers.push(await ask(target, '/v2/models/animals/infer', question));
  });
  return {
    answers,
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

function logits({ json }: Answer): number[] {
  return (json.outputs as { data: number[] }[])[0]!.data;
}

/** Whose weights an answer was made with. */
function seedOf(answer: Answer): number | undefined {
  return [0, 1].find((seed) => classified(x, seed).every((value, i) => Math.abs(value - logits(answer)[i]!) < 1e-4));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a server', () => {
  let server: Served;
  beforeAll(async () => {
    server = await serving({ 'animals.onnx': classifier() }, { workers: 2 });
  });
  afterAll(() => server.end());

  const infer = () => ask(server, '/v2/models/animals/infer', question);
  const change = (name: string, how: 'load' | 'unload') =>
    ask(server, `/v2/repository/models/${name}/${how}`, { method: 'POST' });
  const index = async () => (await ask(server, '/v2/repository/index', { body: {} })).json as unknown as object[];

  it('replaces workers that are killed, and answers every request', async () => {
    const running = load(server, 8);
    for (let kills = 1; kills <= 3; kills++) {
      await pause(20);
      process.kill(server.host.pool.workers[0]!.pid!, 'SIGKILL');
      while (server.host.pool.deaths < kills || server.host.pool.workers.length < 2) await pause(5);
    }
    await pause(20);
    await running.stop();
    expect(running.answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(running.answers.map(seedOf).filter((seed) => seed !== 0)).toEqual([]);
    expect(running.answers.length).toBeGreaterThan(20);
  });

  it('loads a model again without losing a request', async () => {
    const running = load(server, 4);
    await pause(50);
    await writeFile(path.join(server.folder, 'animals.onnx'), classifier({ seed: 1 }));
    expect((await change('animals', 'load')).status).toBe(200);
    // Asked after the load was answered; what was asked before may still get the old weights.
    expect(seedOf(await infer())).toBe(1);
    await running.stop();
    expect(running.answers.filter(({ status }) => status !== 200)).toEqual([]);
    const seeds = running.answers.map(seedOf);
    expect(seeds[0]).toBe(0);
    expect(seeds).not.toContain(undefined);
    while (server.host.pool.everyone.length > 2) await pause(5);
  });

  it('keeps serving where a new file cannot be loaded', async () => {
    const file = path.join(server.folder, 'animals.onnx');
    await writeFile(file, (await readFile(file)).subarray(0, 100));
    const refused = await change('animals', 'load');
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatch(/animals\.onnx: /);
    expect((await infer()).status).toBe(200);
    const reason = expect.stringMatching(/animals\.onnx: /) as string;
    expect(await index()).toEqual([{ name: 'animals', version: '1', state: 'READY', reason }]);
  });

  it('finds files that came later, and none outside of its folder', async () => {
    await writeFile(path.join(server.folder, 'animals.onnx'), classifier());
    await writeFile(path.join(server.folder, 'late.onnx'), classifier());
    expect(await index()).toContainEqual({ name: 'late', version: '1', state: 'UNAVAILABLE', reason: 'not loaded' });
    expect((await change('late', 'load')).status).toBe(200);
    expect(await index()).toContainEqual({ name: 'late', version: '1', state: 'READY', reason: '' });
    for (const name of ['..%2Flate', '%2Fetc%2Fpasswd', 'late.onnx', 'none']) {
      expect((await change(name, 'load')).status).toBe(404);
    }
    const config = { body: { parameters: { config: '{}' } } };
    expect((await ask(server, '/v2/repository/models/late/load', config)).json.error).toMatch(/parameter config/);
    expect((await change('late', 'unload')).status).toBe(200);
    expect((await ask(server, '/v2/models/late')).status).toBe(404);
    expect(await index()).toContainEqual({ name: 'late', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' });
  });

  it('is not for pages of other servers, by whatever name', async () => {
    const asked = async (headers: Record<string, string>) => (await ask(server, '/v2', { headers })).status;
    const evil = `evil.example:${server.port}`;
    expect(await asked({ origin: 'http://evil.example' })).toBe(403);
    expect(await asked({ origin: 'null' })).toBe(403);
    expect(await asked({ host: evil })).toBe(403);
    expect(await asked({ host: evil, origin: `http://${evil}` })).toBe(403);
    expect(await asked({ origin: `http://127.0.0.1:${server.port}` })).toBe(200);
    expect(await asked({ host: `localhost:${server.port}` })).toBe(200);
  });

  it('answers what it has before it ends', async () => {
    // Workers that stand still, so that all requests are here when it is told to end.
    const pids = server.host.pool.workers.map(({ pid }) => pid!);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const asked = Array.from({ length: 50 }, infer);
    while (server.host.pending < 50) await pause(1);
    const closed = server.close();
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 200));
    await closed;
    await expect(ask(server, '/v2/health/live')).rejects.toThrow();
  });
});

describe('a server with limits and tokens', () => {
  const token = '0123456789abcdef0123';
  const headers = { authorization: `Bearer ${token}` };
  const folder = temporaryFolder();
  let server: Served;
  beforeEach(async () => {
    const tokenFile = path.join(folder(), 'tokens');
    await writeFile(tokenFile, `# of the front end\n${token}\n`);
    const limits = { tokenFile, maxBody: 1000, batch: { maxQueue: 2, maxBatch: 1 } };
    server = await serving({ 'animals.onnx': classifier() }, limits);
  });
  afterEach(() => server.end());

  it('refuses what would be late, has no place, is too large or comes from a stranger', async () => {
    const infer = (body: object | string, more = {}) =>
      ask(server, '/v2/models/animals/infer', { body, headers: { ...headers, ...more } });
    // A worker that stands still, so that more come than there is room for.
    const pids = server.host.pool.workers.map(({ pid }) => pid!);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const asked = Array.from({ length: 60 }, () => infer(question.body));
    await Promise.race(asked);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    const answers = await Promise.all(asked);
    const full = answers.filter(({ status }) => status === 503);
    expect(full.length).toBeGreaterThan(0);
    expect(full[0]!.json.error).toMatch(/queue of model animals is full: 2 requests wait/);
    expect(full[0]!.headers['retry-after']).toMatch(/^\d+$/);
    const late = await infer({ ...question.body, parameters: { timeout: 1 } });
    expect(late.status).toBe(503);
    expect(late.json.error).toMatch(/cannot answer within 0 ms/);
    const metrics = (await ask(server, '/metrics', { headers })).body.toString('utf8');
    expect(metrics).toContain(
      `nv_inference_request_failure{model="animals",version="1",reason="REJECTED"} ${full.length + 1}`,
    );

    expect((await infer('x'.repeat(1001))).status).toBe(413);
    expect((await infer('x'.repeat(1001), { 'transfer-encoding': 'chunked' })).status).toBe(413);
    expect((await infer(question.body)).status).toBe(200);

    expect((await ask(server, '/v2/health/ready')).status).toBe(200);
    for (const place of ['/v2', '/metrics', '/v2/models/animals/infer', '/other']) {
      const refused = await ask(server, place);
      expect(refused.status).toBe(401);
      expect(refused.headers['www-authenticate']).toBe('Bearer');
    }
    for (const authorization of [`Bearer ${token}x`, 'Bearer ', `Basic ${token}`, token]) {
      expect((await ask(server, '/v2', { headers: { authorization } })).status).toBe(401);
    }
  });
});
