/**
 * How far `limbeck bench` can be trusted: `npm run bench:latency -- [FILE...] [--seconds 10] [--trials 3]`. Each file is measured
 * by two processes, one after the other, whose medians should agree within 5 % on a quiet machine; then several times beside a
 * copy of itself, where every comparison should end with "no difference". Exits with 1 where one of that is not so.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { BenchResult } from '../src/tools/bench.ts';
import { table } from './processes.ts';

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, trials: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const EXPORTS = 'checkpoints/fashion-mnist/exports';
const files = positionals.length > 0 ? positionals : [`${EXPORTS}/distilled.onnx`, `${EXPORTS}/distilled.tflite`];
const CLI = 'dist/cli.js';
const LIMIT = 0.05;

async function bench(...models: readonly string[]): Promise<BenchResult> {
  // TFLite files have a batch of 1: the other one is left out for them.
  const args = [CLI, 'bench', ...models, '--batch', '1', '8', '--seconds', values.seconds, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e8 });
  return JSON.parse(stdout) as BenchResult;
}

const signed = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)} %`;

/** Whether the medians of two processes agree. */
async function repeats(file: string): Promise<boolean> {
  const [first, second] = [await bench(file), await bench(file)];
  const pairs = first.rows.map((row) => {
    const { runtime, batchSize, threads, p50Ms } = row;
    const again = second.rows.find((other) => other.runtime === runtime && other.batchSize === batchSize)?.p50Ms ?? NaN;
    return { cells: [`${runtime}, batch ${batchSize}, threads ${threads}`, p50Ms, again], change: again / p50Ms - 1 };
  });
  const rows = pairs.map(({ cells: [setting, ...ms], change }) => [
    String(setting),
    ...ms.map((value) => Number(value).toPrecision(4)),
    signed(change),
  ]);
  console.log(`${file} on ${first.machine.cpu}, load average ${first.loadAverage.toFixed(2)}\n`);
  console.log(table(['two runs', 'first, ms', 'second, ms', 'change'], rows));
  const within = pairs.filter(({ change }) => Math.abs(change) <= LIMIT).length;
  console.log(`\n${within} of ${pairs.length} medians agree within ${100 * LIMIT} %\n`);
  return within === pairs.length;
}

/** Whether the file beside a copy of itself is found to be no different, each time. */
async function isEqualToItself(file: string): Promise<boolean> {
  const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-bench-'));
  try {
    const copies = ['one', 'other'].map((name) => path.join(folder, name + path.extname(file)));
    for (const copy of copies) copyFileSync(file, copy);
    const all: BenchResult['comparisons'][number][] = [];
    for (let trial = 0; trial < Number(values.trials); trial++) all.push(...(await bench(...copies)).comparisons);
    const compared = all.map(({ setting, result, ratio, interval }) => {
      return [setting, ratio.toFixed(3), interval?.map((end) => end.toFixed(3)).join(' to ') ?? '-', result];
    });
    console.log(table(['beside a copy of itself', 'ratio', '99 % interval', 'result'], compared));
    const same = all.filter(({ result }) => result === 'no difference').length;
    console.log(`\n${same} of ${all.length} comparisons say "no difference"\n`);
    return all.length > 0 && same === all.length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let isGood = true;
for (const file of files) {
  if (!(await repeats(file))) isGood = false;
  if (!(await isEqualToItself(file))) isGood = false;
}
process.exitCode = isGood ? 0 : 1;
