/**
 * Milliseconds of a training step on every engine and device that this machine has, and PyTorch's on the same processor.
 * `npm run bench:engines -- [--models mlp,cnn] [--devices cpu,webgpu,cuda,tensorflow] [--steps 20] [--within SECONDS]
 * [--no-peer]`
 */
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { netOf } from './nets.ts';
import { findPython, jsonOf, table, torchOf } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'mlp,cnn,cnn-bn,dscnn,resnet8' },
    devices: { type: 'string' },
    steps: { type: 'string', default: '20' },
    batch: { type: 'string', default: '128' },
    threads: { type: 'string', default: String(cpus().length) },
    within: { type: 'string', default: 'Infinity' },
    python: { type: 'string' },
    peer: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const { batch, steps, threads } = options;
const within = Number(options.within);
const child = path.join(import.meta.dirname, 'step-child.js');
const nets = options.models.split(',');
for (const name of nets) netOf(name);

type Status = { readonly name: string; readonly usable: boolean; readonly reason: string };
const probe = await jsonOf(process.execPath, [path.join(import.meta.dirname, 'probe-child.js')]);
const all = probe as unknown as readonly Status[];
const wanted = options.devices?.split(',') ?? all.map(({ name }) => name);
const present = all.filter(({ name, usable }) => usable && wanted.includes(name));
for (const { name, usable, reason } of all) {
  if (!usable && wanted.includes(name)) console.log(`${name}: left out, ${reason}`);
}

/** PyTorch's devices, by what it says itself. */
const python = options.peer ? findPython(options.python) : undefined;
const torch = python === undefined ? 'no Python with PyTorch was named with --python' : torchOf(python);
if (options.peer && typeof torch === 'string') console.log(`PyTorch: left out, ${torch}`);
const peers = typeof torch === 'string' ? [] : torch.cuda ? ['cpu', 'cuda'] : ['cpu'];

let failed = 0;
async function milliseconds(command: string, args: readonly string[]): Promise<string> {
  const left = within - performance.now() / 1000;
  if (left <= 0) {
    failed++;
    return 'no time';
  }
  try {
    // One that builds its engine for minutes leaves time for the others.
    return Number((await jsonOf(command, args, Math.min(left, within / 5))).ms_per_step).toFixed(2);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    failed++;
    return 'failed';
  }
}

const rows: string[][] = [];
for (const net of nets) {
  const row: string[] = [net];
  for (const { name } of present)
    row.push(await milliseconds(process.execPath, [child, 'ours', net, batch, steps, threads, name]));
  for (const device of peers) {
    const common = ['bench/torch_step.py', net, '--batch', batch, '--steps', steps, '--threads', threads];
    row.push(await milliseconds(python!, [...common, '--device', device]));
  }
  rows.push(row);
}

const header = ['ms per step', ...present.map(({ name }) => name), ...peers.map((device) => `PyTorch ${device}`)];
console.log(`\nbatch ${batch}, ${threads} threads, ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}\n`);
console.log(table(header, rows));
if (failed > 0) process.exitCode = 1;
