/**
 * What `limbeck serve` can take: `npm run bench:serve -- [--seconds 3] [--width 2048] [--model FILE.onnx] [--python PYTHON]`.
 * A generator in this process asks a server in another, both on this machine: by connections that each ask again when they
 * have their answer, and at moments of a Poisson process. Printed are throughput and latency of a model that takes about a
 * millisecond beside a bare loop, of a dense teacher with and without batching and within a latency that is promised, what each of fifty
 * models costs the server, and, with a Python that has fastapi, uvicorn, litserve, orjson and onnxruntime, of those with the same file and the same requests.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { jsonOf, table } from './processes.ts';
import { denseTeacher } from './serve/dense.ts';
import { closedLoop, httpRequest, openLoop, percentile } from './serve/load.ts';
import type { LoadResult, Target } from './serve/load.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    width: { type: 'string', default: '2048' },
    model: { type: 'string', default: 'checkpoints/fashion-mnist-first-teacher/teacher.onnx' },
    python: { type: 'string' },
    only: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const folder = mkdtempSync(path.join(tmpdir(), 'bench-serve-'));
const dense = path.join(folder, 'dense.onnx');
writeFileSync(dense, denseTeacher(Number(values.width)));

const PORT = 18_700;
/** Milliseconds: what clients are promised, and what servers are compared at. */
const PROMISE = 50;
const pixels = Float32Array.from({ length: 784 }, (_, i) => Math.round(1e4 * Math.abs(Math.sin(i))) / 1e4);

/** A sample as bytes, for the protocol's binary tensors. */
function binaryRequest(model: string, shape: readonly number[]): Buffer {
  const parameters = { binary_data_size: 4 * pixels.length };
  const inputs = [{ name: 'input', datatype: 'FP32', shape: [1, ...shape], parameters }];
  const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  const body = Buffer.concat([head, Buffer.from(pixels.buffer)]);
  return httpRequest(`/v2/models/${model}/infer`, body, { 'inference-header-content-length': String(head.length) });
}

async function ready(place: string, ask: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${place} does not answer`);
}

/** With `limbeck serve` on these files. */
async function served<T>(files: readonly string[], options: readonly string[], use: () => Promise<T>): Promise<T> {
  const args = ['dist/cli.js', 'serve', ...files, '--port', String(PORT), '--workers', '1', '--quiet', ...options];
  return withProcess(process.execPath, args, '/v2/health/ready', use);
}

async function withProcess<T>(
  command: string,
  args: readonly string[],
  health: string,
  use: () => Promise<T>,
): Promise<T> {
  // A group of its own: some have processes that outlive the first one.
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await ready(args.join(' '), async () => {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with code ${child.exitCode}`);
      return (await fetch(`http://127.0.0.1:${PORT}${health}`).catch(() => undefined))?.status === 200;
    });
    return await use();
  } finally {
    child.kill('SIGTERM');
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000))]);
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // All of them are gone.
    }
  }
}

const HEADER = ['load', 'per second', 'p50 ms', 'p95 ms', 'p99 ms', 'not 200'];

function row(what: string, { rate, latencies, statuses }: LoadResult): string[] {
  const other = Object.entries(statuses).filter(([status]) => status !== '200');
  const ms = (share: number): string => percentile(latencies, share).toFixed(2);
  return [what, rate.toFixed(0), ms(0.5), ms(0.95), ms(0.99), String(other.reduce((sum, [, count]) => sum + count, 0))];
}

async function loads(
  target: Target,
  connections: readonly number[],
  shares: readonly number[] = [],
): Promise<string[][]> {
  // Code is compiled while it runs: what a server takes at first is not what it takes.
  await closedLoop(target, 8, 3);
  const rows: string[][] = [];
  let capacity = 0;
  for (const count of connections) {
    const result = await closedLoop(target, count, seconds);
    capacity = Math.max(capacity, result.rate);
    rows.push(row(`${count} connections`, result));
  }
  for (const share of shares) {
    const result = await openLoop(target, share * capacity, seconds);
    rows.push(row(`Poisson, ${(100 * share).toFixed(0)} % of ${capacity.toFixed(0)}/s`, result));
  }
  return rows;
}

function print(title: string, rows: readonly (readonly string[])[]): void {
  process.stdout.write(`\n${title}\n\n${table(HEADER, rows)}\n`);
}

async function bare(file: string, samples: number): Promise<{ rate: number; cpuMs: number }> {
  const child = path.join(import.meta.dirname, 'serve/bare-child.js');
  const args = [child, file, String(samples), String(Math.min(2, seconds))];
  return (await jsonOf(process.execPath, args)) as { rate: number; cpuMs: number };
}

/** Of the worker and of the server, so far. */
async function processorSeconds(): Promise<[number, number]> {
  const text = await (await fetch(`http://127.0.0.1:${PORT}/metrics`)).text();
  const value = (pattern: RegExp): number => Number(pattern.exec(text)?.[1]);
  const worker = value(/^limbeck_serve_worker_cpu_seconds_total\{.*\} (\S+)$/m);
  return [worker, value(/^process_cpu_seconds_total (\S+)$/m)];
}

async function overhead(): Promise<void> {
  const name = path.basename(values.model, '.onnx');
  const before = await bare(values.model, 1);
  const target = { port: PORT, request: binaryRequest(name, [28, 28, 1]) };
  const { result, worker, server } = await served([values.model], ['--max-batch', '1'], async () => {
    // Code is compiled while it runs: what a server takes at first is not what it takes.
    await closedLoop(target, 8, 3);
    const [workerBefore, serverBefore] = await processorSeconds();
    const answers = await closedLoop(target, 8, seconds);
    const [workerAfter, serverAfter] = await processorSeconds();
    const each = (spent: number): number => (1000 * spent) / answers.latencies.length;
    return { result: answers, worker: each(workerAfter - workerBefore), server: each(serverAfter - serverBefore) };
  });
  const after = await bare(values.model, 1);
  const [loop, cpu] = [(before.rate + after.rate) / 2, (before.cpuMs + after.cpuMs) / 2];
  const more = (ratio: number): string => `${(100 * (ratio - 1)).toFixed(1)} %`;
  process.stdout.write(
    `${values.model}, one sample a call: a bare loop makes ${loop.toFixed(0)} calls a second, each ${cpu.toFixed(3)} ms of a core; ` +
      `served to 8 connections ${result.rate.toFixed(0)} a second (${more(loop / result.rate)} more time), each ` +
      `${worker.toFixed(3)} ms in the worker (${more(worker / cpu)} more) and ${server.toFixed(3)} ms in the server\n`,
  );
  print(
    `${values.model}, batched`,
    await served([values.model], [], () => loads(target, [1, 8, 64, 256], [0.5, 0.8, 0.95])),
  );
}

async function batching(): Promise<void> {
  const target = { port: PORT, request: binaryRequest('dense', [784]) };
  const [one, many] = [await bare(dense, 1), await bare(dense, 64)];
  process.stdout.write(
    `\ndense teacher, bare loop: ${one.rate.toFixed(0)}/s one by one, ${many.rate.toFixed(0)}/s in batches of 64\n`,
  );
  for (const [title, options] of [
    ['without batching', ['--max-batch', '1']],
    ['batched', []],
    ['batched, waiting 2 ms', ['--max-delay', '2']],
  ] as const) {
    print(
      `dense teacher, ${title}`,
      await served([dense], options, () => loads(target, [1, 8, 64, 256], [0.5, 0.8, 0.95])),
    );
  }
  print(
    `dense teacher, batched, --max-latency ${PROMISE}`,
    await served([dense], ['--max-latency', String(PROMISE)], () => loads(target, [8, 64], [0.5, 0.8, 0.95])),
  );
}

/** The highest of Poisson rates, each a tenth above the one before, that 99 % of requests are answered within the promise at. */
async function highestRate(target: Target): Promise<{ rate: number; p99: number }> {
  let best = { rate: 0, p99: NaN };
  // One miss may be the machine's: two in a row end it.
  for (let rate = 100, missed = 0; missed < 2; rate *= 1.1) {
    const { latencies, statuses } = await openLoop(target, rate, seconds);
    const p99 = percentile(latencies, 0.99);
    const kept = p99 <= PROMISE && Object.keys(statuses).every((status) => status === '200');
    if (kept) best = { rate: latencies.length / seconds, p99 };
    missed = kept ? 0 : missed + 1;
  }
  return best;
}

/** The same JSON to all; the addresses differ. */
async function peers(python: string): Promise<void> {
  const inputs = Array.from(pixels, (value) => Number(value.toFixed(4)));
  const asJson = (place: string, body: object): Target => ({
    port: PORT,
    request: httpRequest(place, Buffer.from(JSON.stringify(body)), { 'content-type': 'application/json' }),
  });
  const highest: string[][] = [];
  const measured = async (server: string, target: Target): Promise<void> => {
    print(`dense teacher, ${server}, JSON`, await loads(target, [1, 8, 64]));
    const { rate, p99 } = await highestRate(target);
    highest.push([server, rate.toFixed(0), p99.toFixed(2)]);
  };
  await served([dense], [], () => measured('limbeck serve', asJson('/v1/dense', { inputs })));
  for (const kind of ['fastapi', 'litserve']) {
    const args = ['bench/serve/peers.py', kind, dense, String(PORT), '784'];
    const target = asJson('/predict', { inputs });
    await withProcess(python, args, kind === 'fastapi' ? '/docs' : '/health', () => measured(kind, target));
  }
  const header = ['server', 'per second', 'p99 ms'];
  process.stdout.write(`\nthe highest Poisson rate with a p99 of at most ${PROMISE} ms\n\n${table(header, highest)}\n`);
}

/** What each of many models costs the process that listens: copies of a file, each asked once. */
async function models(): Promise<void> {
  const rows: string[][] = [];
  for (const count of [1, 50]) {
    const files = Array.from({ length: count }, (_, i) => path.join(folder, `copy${i}.onnx`));
    for (const file of files) copyFileSync(values.model, file);
    rows.push(
      await served(files, [], async () => {
        for (let i = 0; i < count; i++)
          await closedLoop({ port: PORT, request: binaryRequest(`copy${i}`, [28, 28, 1]) }, 1, 0.05);
        const text = await (await fetch(`http://127.0.0.1:${PORT}/metrics`)).text();
        const resident = Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
        return [String(count), (resident / 1e6).toFixed(1), String(text.length), String(gzipSync(text).length)];
      }),
    );
  }
  const header = ['models', 'MB of the server', 'bytes of metrics', 'with gzip'];
  process.stdout.write(
    `\n${values.model}, ${(statSync(values.model).size / 1e6).toFixed(2)} MB\n\n${table(header, rows)}\n`,
  );
}

try {
  const parts: Record<string, () => Promise<void>> = { overhead, batching, models };
  if (values.python !== undefined) parts['peers'] = () => peers(values.python!);
  for (const [name, part] of Object.entries(parts)) if (values.only === undefined || values.only === name) await part();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
