/**
 * Milliseconds of a training step on every engine and device that this machine has, and PyTorch's on the same processor.
 * `npm run bench:engines -- [--models mlp,cnn] [--devices cpu,webgpu,cuda,tensorflow] [--steps 20] [--no-peer]`
 */
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { devices } from '../src/runtime/devices.ts';
import { tensorFlowStatus } from '../src/runtime/tensorflow.ts';
import type { NetName } from './nets.ts';
import { NETS } from './nets.ts';
import { findPython, jsonOf, table } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: NETS.join(',') },
    devices: { type: 'string' },
    steps: { type: 'string', default: '20' },
    batch: { type: 'string', default: '128' },
    threads: { type: 'string', default: String(cpus().length) },
    python: { type: 'string' },
    peer: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const { batch, steps, threads } = options;
const child = path.join(import.meta.dirname, 'step-child.js');
const nets = options.models.split(',').map((name) => {
  if (!NETS.includes(name as NetName)) throw new Error(`unknown model ${name}; known: ${NETS.join(', ')}`);
  return name as NetName;
});

const all = [...devices(), { name: 'tensorflow', ...tensorFlowStatus() }];
const wanted = options.devices?.split(',') ?? all.map(({ name }) => name);
const present = all.filter(({ name, usable }) => usable && wanted.includes(name));
for (const { name, usable, reason } of all) {
  if (!usable && wanted.includes(name)) console.log(`${name}: left out, ${reason}`);
}
const python = options.peer ? findPython(options.python) : undefined;
const onCuda = present.some(({ name }) => name === 'cuda');

async function milliseconds(command: string, args: readonly string[]): Promise<string> {
  try {
    return Number((await jsonOf(command, args)).ms_per_step).toFixed(2);
  } catch {
    // The child has said why on the error output.
    return 'failed';
  }
}

const rows: string[][] = [];
for (const net of nets) {
  const row: string[] = [net];
  for (const { name } of present)
    row.push(await milliseconds(process.execPath, [child, 'ours', net, batch, steps, threads, name]));
  if (python !== undefined) {
    const common = ['bench/torch_step.py', net, '--batch', batch, '--steps', steps, '--threads', threads];
    row.push(await milliseconds(python, common));
    if (onCuda) row.push(await milliseconds(python, [...common, '--device', 'cuda']));
  }
  rows.push(row);
}

const peers = python === undefined ? [] : ['PyTorch cpu', ...(onCuda ? ['PyTorch cuda'] : [])];
const header = ['ms per step', ...present.map(({ name }) => name), ...peers];
console.log(`\nbatch ${batch}, ${threads} threads, ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}\n`);
console.log(table(header, rows));
