import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';
import { ask } from '../serve/server.ts';
import { start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

/** How long to go on; `npm run test:soak` for ten minutes. */
const SECONDS = Number(process.env.LIMBECK_SOAK_SECONDS ?? 40);
/** Of what it answers at most, which is measured for so many seconds before. */
const LOAD = 0.8;
const MEASURED_SECONDS = 5;
const TEACHER = path.resolve('checkpoints/fashion-mnist-teacher/exports/distilled.onnx');
const CONNECTIONS = 6;

const folder = temporaryFolder();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function started(...args: string[]) {
  await copyFile(TEACHER, path.join(folder(), 'teacher.onnx'));
  const running = start(folder(), ['serve', 'teacher.onnx', '--port', '0', '--json', ...args]);
  while (!running.output().includes('}') && running.child.exitCode === null) await pause(20);
  const { url } = JSON.parse(running.output()) as { url: string };
  return { ...running, port: Number(new URL(url).port) };
}

/** Process ids of its workers, as its metrics have them. */
async function workersOf(server: { port: number }): Promise<number[]> {
  const text = (await ask(server, '/metrics')).body.toString('utf8');
  return [...text.matchAll(/^limbeck_serve_worker_memory_bytes\{pid="(\d+)"\}/gm)].map(([, pid]) => Number(pid));
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Resident memory, in MiB. */
function memoryOf(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

/** Samples with the bytes that the file answers to each alone, in this process. */
function questions(count: number) {
  const model = new InferenceModel(readFileSync(TEACHER), TEACHER, sessionOptions('cpu', { threads: 1 }));
  const random = new RandomStream('soak');
  const all = Array.from({ length: count }, () => {
    const data = Float32Array.from({ length: 784 }, () => random.uniform());
    const { logits } = model.runNow({ input: { data, shape: [1, 28, 28, 1] } });
    const parameters = { binary_data_size: 4 * 784 };
    const inputs = [{ name: 'input', datatype: 'FP32', shape: [1, 28, 28, 1], parameters }];
    const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
    const body = Buffer.concat([head, Buffer.from(data.buffer)]);
    return { body, head: head.length, expected: Buffer.from((logits!.data as Float32Array).buffer) };
  });
  model.dispose();
  return all;
}

describe(`for ${SECONDS} seconds`, () => {
  it(
    'every request has its own answer to the bit at 80 % of the most, while workers are killed and the model is loaded',
    async () => {
      const server = await started('--workers', '2');
      const all = questions(50);
      const agent = new Agent({ keepAlive: true, maxSockets: 512 });
      const counts = { right: 0, wrong: 0, refused: 0, broken: 0 };
      const infer = ({ body, head, expected }: (typeof all)[number]): Promise<void> =>
        new Promise((resolve) => {
          const headers = { 'inference-header-content-length': String(head), 'content-length': String(body.length) };
          const options = { port: server.port, host: '127.0.0.1', agent, method: 'POST', headers };
          const sent = request({ ...options, path: '/v2/models/teacher/infer' }, (response) => {
            const parts: Buffer[] = [];
            response.on('data', (part: Buffer) => parts.push(part));
            response.on('end', () => {
              const answer = Buffer.concat(parts);
              if (response.statusCode !== 200) counts.refused++;
              else if (answer.subarray(answer.length - expected.length).equals(expected)) counts.right++;
              else counts.wrong++;
              resolve();
            });
          });
          sent.on('error', () => {
            counts.broken++;
            resolve();
          });
          sent.end(body);
        });
      const random = new RandomStream('order');
      const one = (): Promise<void> => infer(all[random.below(all.length)]!);
      const until = performance.now() + 1000 * MEASURED_SECONDS;
      const busy = async (): Promise<void> => {
        while (performance.now() < until) await one();
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, busy));
      const perMs = (LOAD * counts.right) / (1000 * MEASURED_SECONDS);
      const end = performance.now() + 1000 * SECONDS;
      // At the moments of a Poisson process, whatever has been answered by then.
      const asked = (async () => {
        const asking = new Set<Promise<void>>();
        for (let next = performance.now(); next < end; next -= Math.log(1 - random.uniform()) / perMs) {
          if (next > performance.now()) await pause(next - performance.now());
          const own: Promise<void> = one().finally(() => asking.delete(own));
          asking.add(own);
        }
        await Promise.all(asking);
      })();
      const memory: number[] = [];
      let kills = 0;
      let loads = 0;
      for (let tick = 1; performance.now() < end; tick++) {
        await pause(1000);
        memory.push(memoryOf(server.child.pid!));
        if (tick % 5 === 0) {
          const [worker] = await workersOf(server);
          process.kill(worker!, 'SIGKILL');
          kills++;
        }
        if (tick % 7 === 3) {
          expect((await ask(server, '/v2/repository/models/teacher/load', { method: 'POST' })).status).toBe(200);
          loads++;
        }
      }
      await asked;
      agent.destroy();
      expect(counts).toEqual({ right: counts.right, wrong: 0, refused: 0, broken: 0 });
      expect(kills).toBeGreaterThan(2);
      expect(loads).toBeGreaterThan(2);
      process.stdout.write(
        `${(1000 * perMs).toFixed(0)} a second, ${counts.right} answers, ${kills} kills, ${loads} loads, MiB by quarters: `,
      );
      const quarters = [1, 2, 3, 4].map((part) => Math.max(...memory.slice(0, Math.ceil((part * memory.length) / 4))));
      process.stdout.write(`${quarters.map((mib) => mib.toFixed(0)).join(' ')}\n`);
      expect(quarters[3]! - quarters[1]!).toBeLessThan(60);
      server.child.kill('SIGTERM');
      expect((await server.finished).code).toBe(0);
    },
    1000 * (SECONDS + 120),
  );
});

it('takes its workers with it when it is killed', async () => {
  const server = await started('--workers', '2');
  const workers = await workersOf(server);
  expect(workers.filter(isAlive)).toHaveLength(2);
  server.child.kill('SIGKILL');
  await server.finished;
  for (let left = 100; workers.some(isAlive) && left > 0; left--) await pause(50);
  expect(workers.filter(isAlive)).toEqual([]);
});

it('hangs up on those who do not come to the end of their request', async () => {
  const server = await started();
  const slow = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
      const drip = setInterval(() => socket.write('x'), 500);
      socket.on('data', (data) => (answer += data.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(drip);
        resolve(answer);
      });
    });
  const begun = performance.now();
  const [headers, body] = await Promise.all([
    slow('GET /v2 HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: '),
    slow('POST /v2/models/teacher/infer HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000\r\n\r\n{'),
  ]);
  expect(headers).toMatch(/^HTTP\/1.1 408/);
  expect(body).toMatch(/^HTTP\/1.1 (408|400)/);
  expect(performance.now() - begun).toBeLessThan(60_000);
  expect((await ask(server, '/v2/health/ready')).status).toBe(200);
  server.child.kill('SIGTERM');
  await server.finished;
});
