/**
 * Two processes of one thread beside one of one thread and one of two, and beside PyTorch's DistributedDataParallel with gloo: same nets,
 * same global batch, fresh processes, alternating, medians over the rounds. "two 1×1 at once" are two processes that train a whole batch each
 * and share nothing: the median of their steps is what memory and clock of this machine leave of two processes.
 * `npm run bench:scale -- [--models mlp,cnn] [--rounds 3] [--shards 2,8] [--mpirun mpirun.mpich] [--json FILE] [--no-peer] [--check 4,8]
 * [--network 100:1,1000:1]`
 *
 * Then what a cost model makes of it: a step of S shards on r processes takes
 *
 *     S / r · shard + update + 2 · latency · log2(r) + 2 · (r - 1) / r · bytes / bandwidth
 *
 * `shard` and `update` follow from one and two processes, without the time that they waited for messages; latency and bandwidth are of a
 * network that --latency (microseconds) and --bandwidth (Gbit/s) describe. `update` is what does not become less with more processes.
 * --check: so many processes are measured on these cores too, beside what the model says of them, which here take turns at the cores.
 * --network: two processes in namespaces of their own, with a network between them of so many microseconds and Gbit/s: `scale_net.py`, as root.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { netOf, netsOf } from './nets.ts';
import { findPython, jsonOf, median, table } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'mlp,resnet8,resnet18' },
    rounds: { type: 'string', default: '3' },
    check: { type: 'string' },
    network: { type: 'string' },
    steps: { type: 'string', default: '40' },
    batch: { type: 'string' },
    shards: { type: 'string', default: '2,8' },
    mpirun: { type: 'string', default: 'mpirun.mpich' },
    latency: { type: 'string', default: '50' },
    bandwidth: { type: 'string', default: '10' },
    json: { type: 'string' },
    python: { type: 'string' },
    peer: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const { steps, mpirun } = options;
const nets = netsOf(options.models).map(([name]) => name);
const batchOf = (name: string): string => options.batch ?? String(netOf(name).batch);
const shardNumbers = options.shards.split(',').map(Number);
const most = Math.max(...shardNumbers);
const checked = options.check?.split(',').map(Number) ?? [];
const networks = options.network?.split(',').map((text) => text.split(':').map(Number) as [number, number]) ?? [];
const networkName = ([us, gbit]: readonly [number, number]): string => `${us} µs, ${gbit} Gbit/s`;
const python = options.peer ? findPython(options.python) : undefined;
if (options.peer && python === undefined) {
  console.error(
    'No Python with PyTorch: run `npm run test:conformance -- --setup` once, name one with --python, or use --no-peer.',
  );
  process.exit(1);
}

const child = path.join(import.meta.dirname, 'scale-child.js');
const launcher = mpirun.includes('openmpi')
  ? ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '--mca', 'pml', 'ob1', '--mca', 'btl', 'self,sm']
  : [];
const node = (net: string, threads: number, shards: number): string[] =>
  [process.execPath, child, net, batchOf(net), steps, threads, shards].map(String);
const alone = (net: string, threads: number, shards: number) =>
  jsonOf(process.execPath, node(net, threads, shards).slice(1));
const ranks = (net: string, n: number, shards: number) =>
  jsonOf(mpirun, [...launcher, '-n', String(n), ...node(net, 1, shards)]);
/** Two processes with a network between them. */
const over = (net: string, [latency, gbit]: readonly [number, number]) =>
  jsonOf('python3', [
    ...['bench/scale_net.py', '--latency', String(latency), '--gbit', String(gbit), '--mpirun', mpirun, '--'],
    ...node(net, 1, most),
  ]);
const torch = (script: string, net: string, ...more: string[]) =>
  jsonOf(python!, [`bench/${script}`, net, '--batch', batchOf(net), '--steps', steps, ...more]);
/** PyTorch in the memory format that is faster here; `--apart`: two processes that share nothing. */
async function ddp(net: string, ...more: string[]): Promise<Record<string, unknown>> {
  const both = [];
  for (const layout of netOf(net).inputShape.length === 3 ? ['nchw', 'nhwc'] : ['nchw'])
    both.push(await torch('torch_ddp.py', net, '--layout', layout, ...more));
  return both.sort((a, b) => Number(a.ms_per_step) - Number(b.ms_per_step))[0]!;
}

type Measure = () => Promise<Record<string, unknown>>;
const rows = [];
for (const net of nets) {
  const measures: Record<string, Measure> = {
    'whole 1×1': () => alone(net, 1, 0),
    'two whole 1×1 at once': () => ranks(net, 2, 0),
    'whole 1×2': () => alone(net, 2, 0),
    ...Object.fromEntries(
      shardNumbers.flatMap((shards): [string, Measure][] => [
        [`${shards} shards 1×1`, () => alone(net, 1, shards)],
        [`${shards} shards 2×1`, () => ranks(net, 2, shards)],
      ]),
    ),
    ...Object.fromEntries(checked.map((n) => [`${most} shards ${n}×1`, () => ranks(net, n, most)])),
    ...Object.fromEntries(networks.map((network) => [networkName(network), () => over(net, network)])),
    ...(python !== undefined && {
      'torch 1×1': () => torch('torch_step.py', net, '--threads', '1'),
      'two torch 1×1 at once': () => ddp(net, '--apart'),
      'torch 1×2': () => torch('torch_step.py', net, '--threads', '2'),
      'torch DDP 2×1': () => ddp(net),
    }),
  };
  const found: Record<string, Record<string, unknown>[]> = {};
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [what, measure] of Object.entries(measures)) (found[what] ??= []).push(await measure());
  rows.push({ net, found });
}

type Found = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
const ms = (found: Found, what: string, key = 'ms_per_step'): number =>
  found[what] === undefined ? NaN : median(found[what].map((one) => Number(one[key])));
const number = (value: number, digits = 2): string => (Number.isNaN(value) ? '-' : value.toFixed(digits));
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, ${mpirun}; milliseconds a step, processes × threads, medians of ${options.rounds} rounds\n`,
);
const columns = Object.keys(rows[0]!.found);
console.log(
  table(
    ['model', ...columns],
    rows.map(({ net, found }) => [`${net}, batch ${batchOf(net)}`, ...columns.map((what) => number(ms(found, what)))]),
  ),
);
console.log(
  '\nEfficiency of two processes: of ideal, time of one of one thread / (2 · time); of the machine, time of two such at once / (2 · time); and time of one of two threads / time\n',
);
const pairs = [...shardNumbers.map((n) => [`${n} shards 2×1`, 'whole'] as const), ['torch DDP 2×1', 'torch'] as const];
console.log(
  table(
    ['model', ...pairs.flatMap(([what]) => [`${what} of ideal`, 'of the machine', 'to 1×2'])],
    rows.map(({ net, found }) => [
      net,
      ...pairs.flatMap(([what, base]) => [
        number(ms(found, `${base} 1×1`) / (2 * ms(found, what))),
        number(ms(found, `two ${base} 1×1 at once`) / (2 * ms(found, what))),
        number(ms(found, `${base} 1×2`) / ms(found, what)),
      ]),
    ]),
  ),
);

const wire = [Number(options.latency), Number(options.bandwidth)] as const;
console.log(
  `\nBy the model, ${options.latency} µs and ${options.bandwidth} Gbit/s between the processes, ${most} shards: milliseconds a step\n`,
);
const counts = [1, 2, 4, 8, 64, 512];

/** What a step is made of, in milliseconds and bytes. */
function fitted(found: Found) {
  const one = ms(found, `${most} shards 1×1`);
  const two = ms(found, `${most} shards 2×1`) - ms(found, `${most} shards 2×1`, 'gather_ms');
  const shard = Math.max(0, (one - two) / (most - most / 2));
  return { shard, update: Math.max(0, one - most * shard), bytes: 4 * ms(found, `${most} shards 1×1`, 'parameters') };
}

/** Shards of the process that has most of them: a power of two, or all. */
function shardsOf(shards: number, r: number): number {
  return Math.min(shards, 2 ** Math.ceil(Math.log2(Math.max(1, shards / r))));
}

/** Milliseconds of a step on `r` processes, of which each has a core. */
function modelled({ shard, update, bytes }: ReturnType<typeof fitted>, r: number, [us, gbit] = wire): number {
  // More processes than shards need more and smaller shards of the batch.
  const shards = Math.max(most, r);
  const compute = shardsOf(shards, r) * shard * (most / shards) + update;
  if (r === 1) return compute;
  return compute + (2 * us * Math.log2(r)) / 1000 + (2 * ((r - 1) / r) * bytes) / ((gbit * 1e6) / 8);
}

/** The largest number of processes of which each doubling on the way takes at least a quarter off a step. */
function paysTo(of: ReturnType<typeof fitted>): number {
  let r = 1;
  while (r < 4096 && modelled(of, 2 * r) <= 0.75 * modelled(of, r)) r *= 2;
  return r;
}

console.log(
  table(
    ['model', 'shard', 'update', 'MB', ...counts.map((r) => `${r} processes`), 'pays to'],
    rows.map(({ net, found }) => {
      const of = fitted(found);
      const times = counts.map((r) => number(modelled(of, r), 1));
      return [net, number(of.shard), number(of.update), number(of.bytes / 1e6, 1), ...times, String(paysTo(of))];
    }),
  ),
);
console.log(
  '\nOf a step of two processes, what the messages take once both have come: no overlap with computing could save more\n',
);
console.log(
  table(
    ['model', ...shardNumbers.map((shards) => `${shards} shards`)],
    rows.map(({ net, found }) => [
      net,
      ...shardNumbers.map((shards) => {
        const key = `${shards} shards 2×1`;
        return `${number((100 * (ms(found, key, 'gather_ms') - ms(found, key, 'waited_ms'))) / ms(found, key), 1)} %`;
      }),
    ]),
  ),
);
if (checked.length > 0) {
  const cores = cpus().length;
  console.log(`\nMore processes than the ${cores} cores: measured, and by the model without a network\n`);
  console.log(
    table(
      ['model', ...checked.flatMap((n) => [`${n} measured`, `${n} by the model`])],
      rows.map(({ net, found }) => {
        const { shard, update } = fitted(found);
        const alone = (n: number): number => Math.max(1, n / cores) * (shardsOf(most, n) * shard + update);
        return [net, ...checked.flatMap((n) => [number(ms(found, `${most} shards ${n}×1`)), number(alone(n))])];
      }),
    ),
  );
}
if (networks.length > 0) {
  console.log('\nTwo processes with a network between them: measured, and by the model\n');
  console.log(
    table(
      ['model', ...networks.flatMap((network) => [networkName(network), 'by the model'])],
      rows.map(({ net, found }) => {
        const of = fitted(found);
        const pair = (network: readonly [number, number]): string[] => [
          number(ms(found, networkName(network))),
          number(modelled(of, 2, network)),
        ];
        return [net, ...networks.flatMap(pair)];
      }),
    ),
  );
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
