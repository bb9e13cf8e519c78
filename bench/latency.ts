/**
 * How far `limbeck bench` can be trusted: `npm run bench:latency -- [FILE] [--seconds 10]`. One file is measured by two
 * processes, one after the other, whose medians should agree within 5 % on a quiet machine; then beside a copy of itself,
 * where every comparison should end with "no difference".
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { BenchResult } from '../src/pipeline/bench.ts';
import { table } from './processes.ts';

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '10' } },
  allowPositionals: true,
});
const [file = 'checkpoints/fashion-mnist-teacher/exports/distilled.onnx'] = positionals;
const CLI = 'dist/cli.js';
const LIMIT = 0.05;

async function bench(...files: readonly string[]): Promise<BenchResult> {
  const args = [CLI, 'bench', ...files, '--seconds', values.seconds, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e8 });
  return JSON.parse(stdout) as BenchResult;
}

const signed = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)} %`;

const [first, second] = [await bench(file), await bench(file)];
const pairs = first.rows.map((row, i) => {
  const { batchSize, threads, p50Ms } = row;
  const again = second.rows[i]!.p50Ms;
  return { cells: [`batch ${batchSize}, threads ${threads}`, p50Ms, again], change: again / p50Ms - 1 };
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

const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-bench-'));
try {
  const copies = ['one.onnx', 'other.onnx'].map((name) => path.join(folder, name));
  for (const copy of copies) copyFileSync(file, copy);
  const { comparisons } = await bench(...copies);
  const compared = comparisons.map(({ setting, result, ratio, interval }) => {
    return [setting, ratio.toFixed(3), interval?.map((end) => end.toFixed(3)).join(' to ') ?? '-', result];
  });
  console.log(table(['beside a copy of itself', 'ratio', '99 % interval', 'result'], compared));
  const same = comparisons.filter(({ result }) => result === 'no difference').length;
  console.log(`\n${same} of ${comparisons.length} comparisons say "no difference"`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
