/**
 * What parts of a training step gain: the same step with and without, in processes that run in turn.
 * `npm run bench:pays -- [--parts whole-before-parts,blocked/norm] [--only gru,cnn] [--rounds 12] [--threads 2]`
 *
 * Each round runs a few steps of each process; the fastest step of all rounds counts, by the clock and by processor time. Nets whose
 * step is the same without a part are left out. Nets that are files: `--files FOLDER` has them as NET.onnx.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { NETS } from './nets.ts';
import { STEP_PARTS } from './pays-parts.ts';
import { table } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    parts: { type: 'string', default: Object.keys(STEP_PARTS).join() },
    only: { type: 'string' },
    rounds: { type: 'string', default: '12' },
    threads: { type: 'string', default: '2' },
    files: { type: 'string' },
    count: { type: 'boolean', default: false },
  },
});
const parts = options.parts.split(',');
const nets = options.only?.split(',') ?? Object.keys(NETS).filter((name) => NETS[name]!.build !== undefined);
const MILLISECONDS_A_ROUND = 300;

interface Side {
  readonly part: string;
  readonly child: ChildProcess;
  readonly hash: string;
  readonly nodes: number;
  ms: number;
  cpu: number;
}

async function opened(net: string, part: string): Promise<Side> {
  const args = [net, part, options.threads];
  if (NETS[net]!.build === undefined) args.push(path.join(options.files!, `${net}.onnx`));
  const child = fork(path.join(import.meta.dirname, 'pays-child.js'), args);
  const [{ hash, nodes }] = (await once(child, 'message')) as [{ hash: string; nodes: number }];
  return { part, child, hash, nodes, ms: Infinity, cpu: Infinity };
}

async function run(side: Side, steps: number): Promise<void> {
  side.child.send(steps);
  const [{ ms, cpu }] = (await once(side.child, 'message')) as [{ ms: number; cpu: number }];
  side.ms = Math.min(side.ms, ms);
  side.cpu = Math.min(side.cpu, cpu);
}

const rows: string[][] = [];
for (const net of nets) {
  const whole = await opened(net, 'none');
  const sides: Side[] = [whole];
  for (const part of parts) {
    const side = await opened(net, part);
    if (side.hash === whole.hash) side.child.kill();
    else sides.push(side);
  }
  if (sides.length > 1 && !options.count) {
    for (const side of sides) await run(side, 2);
    const steps = Math.max(1, Math.round(MILLISECONDS_A_ROUND / whole.ms));
    for (let round = 0; round < Number(options.rounds); round++) for (const side of sides) await run(side, steps);
  }
  for (const { part, nodes, ms, cpu } of sides.slice(1)) {
    const row = [net, part, `${whole.nodes}`, `${nodes}`, whole.cpu.toFixed(2), cpu.toFixed(2)];
    rows.push([...row, (cpu / whole.cpu).toFixed(3), (ms / whole.ms).toFixed(3)]);
    console.error(rows.at(-1)!.join('  '));
  }
  for (const { child } of sides) child.kill();
}
const head = ['net', 'without', 'nodes', 'then', 'CPU ms', 'then', 'ratio', 'by the clock'];
console.log(table(head, rows));
