/**
 * Our training step against PyTorch's on the CPU: same nets, same batch, one fresh process a measurement, in turn, medians over
 * the rounds. `npm run bench:step -- [--only mlp,resnet18] [--rounds 5] [--compile] [--optimizer sgd] [--json FILE] [--no-peer]`
 *
 * Nets named onnx-… are trained from the file that PyTorch writes of its own, those of torchvision in the environment of
 * `npm run test:conformance:zoo -- --setup`.
 *
 * PyTorch runs eagerly with its fused optimizer, contiguous and channels last and in what else a net can be written as; the
 * variant that is fastest in the first round is the one that the other rounds repeat. With --compile its torch.compile too, which
 * needs g++ and takes up to a minute a net. With --profile instead: where our step's time goes, see profile.ts.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchNet } from './nets.ts';
import { netsOf } from './nets.ts';
import { findPython, jsonOf, median, runToEnd, table } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '30' },
    batch: { type: 'string' },
    threads: { type: 'string', default: '2' },
    optimizer: { type: 'string', default: 'adam' },
    json: { type: 'string' },
    python: { type: 'string' },
    peer: { type: 'boolean', default: true },
    compile: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    wasm: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

interface Sample {
  readonly ms_per_step: number;
  readonly cpu_ms_per_step: number;
  readonly peak_rss_mb: number;
  readonly compile_ms: number;
  /** Of ours. */
  readonly flops?: number;
  readonly winograd?: number;
}

const built = (file: string): string => path.join(import.meta.dirname, file);
const { steps, threads, optimizer } = options;
const rounds = Number(options.rounds);
const nets = netsOf(options.only);
const batchOf = ({ batch }: BenchNet): string => options.batch ?? String(batch);

const isFile = ({ build }: BenchNet): boolean => build === undefined;
const hasFiles = nets.some(([, net]) => isFile(net));
const environment = hasFiles ? 'test:conformance:zoo' : 'test:conformance';
const python = findPython(options.python, hasFiles ? ['.venv/zoo/bin/python'] : undefined);
if (python === undefined && ((options.peer && !options.profile) || hasFiles)) {
  console.error(
    `No Python with PyTorch: run \`npm run ${environment} -- --setup\` once, name one with --python, or use --no-peer.`,
  );
  process.exit(1);
}
const folder = mkdtempSync(path.join(tmpdir(), 'bench-step-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

if (options.profile) {
  for (const [name, net] of nets) {
    const args = ['--only', name, '--batch', batchOf(net), '--threads', threads];
    if (isFile(net)) args.push('--file', await fileOf(name));
    await runToEnd(process.execPath, [built('profile.js'), ...args]);
  }
  process.exit(0);
}

async function ours(name: string, net: BenchNet): Promise<Sample> {
  const args = [built('step-child.js'), 'ours', name, batchOf(net), steps, threads, 'cpu', optimizer];
  if (isFile(net)) args.push(await fileOf(name));
  return (await jsonOf(process.execPath, args)) as unknown as Sample;
}

/** The net as PyTorch writes it. */
async function fileOf(name: string): Promise<string> {
  const file = path.join(folder, `${name}.onnx`);
  if (!existsSync(file)) await jsonOf(python!, ['bench/torch_step.py', name, '--export', file]);
  return file;
}

async function peer(name: string, net: BenchNet, variant: string): Promise<Sample> {
  const args = ['bench/torch_step.py', name, '--variant', variant, '--batch', batchOf(net), '--steps', steps];
  return (await jsonOf(python!, [...args, '--threads', threads, '--optimizer', optimizer])) as unknown as Sample;
}

function variantsOf(name: string, { inputShape }: BenchNet): readonly string[] {
  if (inputShape.length === 3) return ['nchw', 'nhwc'];
  if (name.startsWith('transformer')) return ['matmul', 'sdpa'];
  return name === 'gru' ? ['cudnn', 'exact'] : ['plain'];
}

interface Side {
  readonly variant: string;
  readonly samples: readonly Sample[];
}

const msOf = ({ samples }: Side): number => median(samples.map((sample) => sample.ms_per_step));
const of = (side: Side | undefined, key: keyof Sample): number | undefined =>
  side && median(side.samples.map((sample) => sample[key]!));

/** Round by round, so that a slow minute of the machine hits both sides. */
function ratio(theirs: Side | undefined, mine: Side, key: 'ms_per_step' | 'cpu_ms_per_step'): number | undefined {
  return theirs && median(theirs.samples.map((sample, i) => sample[key] / mine.samples[i]![key]));
}

async function measured(name: string, net: BenchNet): Promise<Record<string, unknown>> {
  const mine: Sample[] = [];
  const peaks: number[] = [];
  const kinds = !options.peer ? [] : ['eager', ...(options.compile ? ['compile'] : [])];
  const sides = new Map<string, Side>();
  for (let round = 0; round < rounds; round++) {
    mine.push(await ours(name, net));
    for (const kind of kinds) {
      const known = sides.get(kind);
      const names =
        known === undefined ? variantsOf(name, net).map((variant) => `${kind}-${variant}`) : [known.variant];
      const tried: Side[] = [];
      for (const variant of names)
        tried.push({ variant, samples: [...(known?.samples ?? []), await peer(name, net, variant)] });
      sides.set(kind, tried.sort((a, b) => msOf(a) - msOf(b))[0]!);
    }
    peaks.push(
      (await jsonOf(process.execPath, [built('step-child.js'), 'gemm', name, '0', '20', threads])).gflops as number,
    );
  }
  const own = { variant: 'ours', samples: mine };
  const [eager, compiled] = [sides.get('eager'), sides.get('compile')];
  return {
    ...{ net: name, about: net.about, batch: Number(batchOf(net)), ms: msOf(own), cpuMs: of(own, 'cpu_ms_per_step') },
    ...{ eager: eager?.variant.replace('eager-', ''), eagerMs: eager && msOf(eager) },
    eagerCpuMs: of(eager, 'cpu_ms_per_step'),
    ...{ ratio: ratio(eager, own, 'ms_per_step'), cpuRatio: ratio(eager, own, 'cpu_ms_per_step') },
    ...{ compiledMs: compiled && msOf(compiled), compiledRatio: ratio(compiled, own, 'ms_per_step') },
    ...{ compileMs: of(own, 'compile_ms'), torchCompileMs: compiled?.samples[0]!.compile_ms },
    ...{ rssMb: of(own, 'peak_rss_mb'), eagerRssMb: of(eager, 'peak_rss_mb') },
    shareOfGemmPeak: mine[0]!.flops! / 1e6 / msOf(own) / median(peaks),
    winogradSaves: mine[0]!.winograd! / mine[0]!.flops!,
    ...(options.wasm && {
      wasm: await jsonOf(process.execPath, [built('step-child.js'), 'wasm', name, batchOf(net), '3', threads]),
    }),
  };
}

const rows: Record<string, unknown>[] = [];
for (const [name, net] of nets) {
  const row = await measured(name, net);
  rows.push(row);
  console.error(`${name}: ${(row.ms as number).toFixed(1)} ms, PyTorch / ours ${String(row.ratio)}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
}

const number = (value: unknown, digits: number): string => (typeof value === 'number' ? value.toFixed(digits) : '-');
const cpu = cpus()[0]?.model ?? 'unknown CPU';
console.log(`${threads} threads, ${cpu}, Node ${process.version}, ${optimizer}; medians of ${rounds} rounds\n`);
console.log(
  table(
    [
      ...[
        'model',
        'batch',
        'ours ms',
        'eager ms',
        'as',
        'eager / ours',
        'same of CPU time',
        'compiled ms',
        'compiled / ours',
      ],
      ...['compile s', 'torch.compile s', 'ours MB', 'eager MB', '% of GEMM peak', '% saved by Winograd'],
    ],
    rows.map((row) => [
      ...[
        String(row.net),
        String(row.batch),
        number(row.ms, 2),
        number(row.eagerMs, 2),
        (row.eager as string | undefined) ?? '-',
      ],
      ...[number(row.ratio, 2), number(row.cpuRatio, 2), number(row.compiledMs, 2), number(row.compiledRatio, 2)],
      ...[
        number((row.compileMs as number) / 1000, 1),
        number(row.torchCompileMs === undefined ? undefined : (row.torchCompileMs as number) / 1000, 1),
      ],
      ...[number(row.rssMb, 0), number(row.eagerRssMb, 0), number((row.shareOfGemmPeak as number) * 100, 0)],
      ...[number((row.winogradSaves as number) * 100, 0)],
    ]),
  ),
);
for (const row of rows)
  if (row.wasm !== undefined) console.log(`tfjs wasm, ${String(row.net)}: ${JSON.stringify(row.wasm)}`);
