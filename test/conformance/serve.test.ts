import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { classifier, sumAndDifference } from '../serve/models.ts';
import { start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { pythonPath } from './python.ts';

const TEACHER = path.resolve('checkpoints/fashion-mnist-teacher/exports/distilled.onnx');

const folder = temporaryFolder();
let child: ChildProcess;
let server: { url: string; grpcPort: number; models: string[] };

/** `limbeck serve` in a process of its own, as people start it. */
beforeEach(async () => {
  const models = {
    'animals.onnx': classifier(),
    'two.onnx': sumAndDifference(),
    'long.onnx': sumAndDifference('int64'),
    'short.onnx': sumAndDifference('int32'),
    'half.onnx': sumAndDifference('float16'),
    'one.onnx': classifier({ batch: 1 }),
    'four.onnx': classifier({ batch: 4 }),
    'teacher.onnx': await readFile(TEACHER),
  };
  for (const [name, bytes] of Object.entries(models)) await writeFile(path.join(folder(), name), bytes);
  const args = ['serve', folder(), '--port', '0', '--grpc-port', '0', '--workers', '2', '--json'];
  const running = start(folder(), args);
  ({ child } = running);
  while (!running.output().includes('}')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (child.exitCode !== null) throw new Error((await running.finished).stderr);
  }
  server = JSON.parse(running.output()) as typeof server;
});
afterEach(async () => {
  child.kill('SIGTERM');
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  expect(child.exitCode).toBe(0);
});

const run = promisify(execFile);

it("answers Triton's clients over HTTP and gRPC as onnxruntime does", async () => {
  const { url, grpcPort, models } = server;
  const manifest = { port: Number(new URL(url).port), grpcPort, models, labelled: 'teacher' };
  await writeFile(path.join(folder(), 'manifest.json'), JSON.stringify(manifest));
  const script = path.resolve('test/conformance/serve_check.py');
  const { stdout } = await run(pythonPath(), [script, folder()]);
  const { problems, checks } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as {
    problems: string[];
    checks: number;
  };
  expect(problems).toEqual([]);
  expect(checks).toBeGreaterThan(1000);
});

it("answers KServe's client", async () => {
  const script = path.resolve('test/conformance/serve_kserve.py');
  const { stdout } = await run(pythonPath(), [script, server.url, `127.0.0.1:${server.grpcPort}`]);
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)).toEqual([]);
});

it.each(['http', 'grpc'])('is measured by perf_analyzer over %s', async (protocol) => {
  const address = protocol === 'http' ? new URL(server.url).host : `127.0.0.1:${server.grpcPort}`;
  const file = path.join(folder(), `${protocol}.csv`);
  const analyzer = path.join(path.dirname(pythonPath()), 'perf_analyzer');
  const common = ['-m', 'animals', '-u', address, '-i', protocol, '-f', file, '--verbose-csv'];
  const short = ['-p', '500', '-r', '10', '-s', '900'];
  await run(analyzer, [...common, ...short, '--concurrency-range', '4']);
  const [head, row] = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  const value = (column: string): number => Number(row![head!.indexOf(column)]);
  expect(value('Inferences/Second')).toBeGreaterThan(10);
  // Figures that it takes from the server's statistics.
  for (const column of ['Server Queue', 'Server Compute Infer', 'Server Compute Output']) {
    expect(value(column)).toBeGreaterThanOrEqual(0);
  }
  expect(value('Server Compute Infer')).toBeGreaterThan(0);
  const rate = ['--request-rate-range', '50', '--request-distribution', 'poisson'];
  const { stdout } = await run(analyzer, [...common, ...short, ...rate]);
  expect(stdout).toMatch(/Request Rate: 50/);
});
