/**
 * Our training step against PyTorch's eager step on the CPU: same nets, same batch, one fresh process a measurement,
 * alternating, medians over the rounds. `npm run bench:step -- [--models mlp,cnn] [--rounds 5] [--json FILE] [--no-peer]`
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { NetName } from './nets.ts';
import { NETS } from './nets.ts';
import { findPython, jsonOf, median, table } from './processes.ts';
import { stepFlops } from './flops.ts';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: NETS.join(',') },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '30' },
    batch: { type: 'string', default: '128' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
    python: { type: 'string' },
    peer: { type: 'boolean', default: true },
    wasm: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

interface Sample {
  readonly ms_per_step: number;
  readonly peak_rss_mb: number;
  readonly compile_ms?: number;
}

const child = path.join(import.meta.dirname, 'step-child.js');
const { batch, steps, threads } = options;

const nets = options.models.split(',').map((name) => {
  if (!NETS.includes(name as NetName)) throw new Error(`unknown model ${name}; known: ${NETS.join(', ')}`);
  return name as NetName;
});
const python = options.peer ? findPython(options.python) : undefined;
if (options.peer && python === undefined) {
  console.error(
    'No Python with PyTorch: run `npm run test:conformance -- --setup` once, name one with --python, or use --no-peer.',
  );
  process.exit(1);
}

const ours = (net: NetName): Promise<unknown> => jsonOf(process.execPath, [child, 'ours', net, batch, steps, threads]);
const peers = (net: NetName): Promise<unknown> =>
  jsonOf(python!, ['bench/torch_step.py', net, '--batch', batch, '--steps', steps, '--threads', threads]);

const rows: Record<string, unknown>[] = [];
for (const net of nets) {
  const [mine, theirs]: [Sample[], Sample[]] = [[], []];
  const peaks: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    mine.push((await ours(net)) as Sample);
    if (python !== undefined) theirs.push((await peers(net)) as Sample);
    peaks.push((await jsonOf(process.execPath, [child, 'gemm', net, batch, '20', threads])).gflops as number);
  }
  const ms = median(mine.map((sample) => sample.ms_per_step));
  const gflops = stepFlops(net, Number(batch)) / 1e6 / ms;
  rows.push({
    net,
    ms,
    compileMs: median(mine.map((sample) => sample.compile_ms!)),
    rssMb: median(mine.map((sample) => sample.peak_rss_mb)),
    gemmGflops: median(peaks),
    shareOfGemmPeak: gflops / median(peaks),
    ...(python === undefined
      ? {}
      : {
          torchMs: median(theirs.map((sample) => sample.ms_per_step)),
          // Ratios are taken round by round, so that a slow minute of the machine hits both sides.
          ratio: median(theirs.map((sample, i) => sample.ms_per_step / mine[i]!.ms_per_step)),
          torchRssMb: median(theirs.map((sample) => sample.peak_rss_mb)),
        }),
    ...(options.wasm ? { wasm: await jsonOf(process.execPath, [child, 'wasm', net, batch, '3', threads]) } : {}),
  });
}

const number = (value: unknown, digits: number): string => (typeof value === 'number' ? value.toFixed(digits) : '-');
console.log(
  `batch ${batch}, ${threads} threads, ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}; medians of ${options.rounds} rounds\n`,
);
console.log(
  table(
    ['model', 'ours ms', 'PyTorch ms', 'PyTorch / ours', 'compile ms', 'ours MB', 'PyTorch MB', '% of GEMM peak'],
    rows.map((row) => [
      String(row.net),
      number(row.ms, 2),
      number(row.torchMs, 2),
      number(row.ratio, 2),
      number(row.compileMs, 0),
      number(row.rssMb, 0),
      number(row.torchRssMb, 0),
      number((row.shareOfGemmPeak as number) * 100, 0),
    ]),
  ),
);
for (const row of rows)
  if (row.wasm !== undefined) console.log(`tfjs wasm, ${String(row.net)}: ${JSON.stringify(row.wasm)}`);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
